// What a #! line gives to env → the command that is looked up, as the real env(1) takes it.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { readEnvArgument } from '../../src/elf/script-line.ts';

const readable = ['printf', '-S printf %s', '-Sprintf %s', '--split-string=printf %s', '-S  printf   %s '];
const unreadable = [
  '-i printf',
  'A=1',
  '-S A=1 printf',
  "-S printf '%s'",
  '-S printf ${HOME}',
  '-S printf \\t',
  '-S',
  '--',
];

for (const argument of readable)
  test(`env '${argument}'`, () => {
    const command = readEnvArgument(argument);
    assert.equal(command?.name, 'printf');
    const ours = spawnSync(command.name, [...command.args, 'script'], { encoding: 'utf8' });
    const envs = spawnSync('env', [argument, 'script'], { encoding: 'utf8' });
    assert.deepEqual([ours.status, ours.stdout], [envs.status, envs.stdout]);
    assert.equal(envs.status, 0);
  });

test("what is env's own to understand", () => {
  assert.equal(readEnvArgument(undefined), undefined);
  assert.equal(readEnvArgument('printf %s'), undefined, 'one word without -S');
  for (const argument of unreadable) assert.equal(readEnvArgument(argument), undefined, argument);
});
