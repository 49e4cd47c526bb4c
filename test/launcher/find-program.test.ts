// PROGRAM is looked up as env(1), and so execvp(3), does it: every case is run through both.
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { openWorkshop, putScript, runCommand } from './launcher-fixture.ts';
import { planText, putPlan } from './plan-fixture.ts';

const workshop = await openWorkshop();
const at = (...names: string[]): string => path.join(workshop.directory, ...names);

for (const name of ['first', 'second', 'denied', 'folder', 'empty', 'unsearchable']) mkdirSync(at(name));
mkdirSync(at('folder', 'tool'));
putScript(at('denied'), 'tool', 'echo denied');
chmodSync(at('denied', 'tool'), 0o644);
writeFileSync(at('denied', 'plain'), '');
for (const place of ['first', 'second', '.']) {
  const tool = putScript(at(place), 'tool', `echo "${place} $0 $*"`);
  putPlan(workshop.place, tool, planText(tool));
}
symlinkSync('tool', at('second', 'alias'));
symlinkSync('loop', at('first', 'loop'));

type Case = { readonly name: string; readonly path?: string; readonly program: string };
const cases: readonly Case[] = [
  { name: 'first element wins', path: `${at('first')}:${at('second')}`, program: 'tool' },
  {
    name: 'missing elements are passed over',
    path: `/nowhere:${at('empty')}:${at('second')}`,
    program: 'tool',
  },
  { name: 'a directory is passed over', path: `${at('folder')}:${at('second')}`, program: 'tool' },
  { name: 'a non-executable is passed over', path: `${at('denied')}:${at('second')}`, program: 'tool' },
  { name: 'a denied one is remembered', path: `${at('denied')}:${at('empty')}`, program: 'tool' },
  { name: 'only a directory', path: at('folder'), program: 'tool' },
  { name: 'an element that is a file', path: `${at('first', 'tool')}:${at('second')}`, program: 'tool' },
  { name: 'empty element in front', path: `:${at('first')}`, program: 'tool' },
  { name: 'empty element at the end', path: `${at('empty')}:`, program: 'tool' },
  { name: 'empty element in the middle', path: `${at('empty')}::${at('first')}`, program: 'tool' },
  { name: 'empty PATH', path: '', program: 'tool' },
  { name: 'not in PATH', path: at('empty'), program: 'tool' },
  { name: 'PATH with a relative element', path: 'second', program: 'tool' },
  { name: 'PATH unset', program: 'no-such-program-anywhere' },
  { name: 'a symbolic link', path: at('second'), program: 'alias' },
  { name: 'a slash is not looked up', path: at('first'), program: './tool' },
  { name: 'a relative path', path: '/nowhere', program: 'second/tool' },
  { name: 'an absolute path', path: '/nowhere', program: at('first', 'tool') },
  { name: 'a missing path', path: at('first'), program: './nothing/tool' },
  { name: 'a path below a file', path: at('first'), program: 'second/tool/x' },
  { name: 'a directory as a path', path: at('first'), program: './first' },
  { name: 'a non-executable as a path', path: at('first'), program: 'denied/plain' },
  { name: 'a name of more than NAME_MAX', path: at('first'), program: 'x'.repeat(300) },
  { name: 'a loop ends the search', path: `${at('first')}:${at('second')}`, program: 'loop' },
  { name: 'the empty name', path: at('first'), program: '' },
];

for (const { name, program, ...each } of cases)
  test(name, async () => {
    const { PATH: _, ...environment } = workshop.environment;
    const env = 'path' in each ? { ...environment, PATH: each.path } : environment;
    const options = { cwd: workshop.directory, env };
    const expected = await runCommand(workshop, ['/usr/bin/env', '--', program, 'a b', ''], options);
    const actual = await runCommand(workshop, [workshop.launcher, '--', program, 'a b', ''], options);
    assert.equal(actual.code, expected.code);
    assert.equal(actual.stdout, expected.stdout);
    if (expected.code === 0) assert.equal(actual.stderr, '');
    else assert.match(actual.stderr, /^nix-run-foreign: .+: .+\n {2}\S.+\n$/);
  });

// Here glibc searches the working directory next, as if an empty element followed; that is not worth having.
test('an element of more than PATH_MAX is passed over', async () => {
  const env = { ...workshop.environment, PATH: `/${'x'.repeat(5000)}:${at('first')}` };
  const options = { cwd: workshop.directory, env };
  const { stdout } = await runCommand(workshop, [workshop.launcher, 'tool'], options);
  assert.equal(stdout, `first ${at('first', 'tool')} \n`);
});

test('PATH unset means /bin and /usr/bin', async () => {
  const { PATH: _, ...env } = workshop.environment;
  const { code, stderr } = await runCommand(workshop, [workshop.launcher, 'true'], { env });
  assert.equal(code, 125);
  assert.match(stderr, /^resolver called\n/);
});

test('control characters of a name do not reach the terminal', async () => {
  const { code, stderr } = await runCommand(workshop, [workshop.launcher, './a\u001b[31m\n\u009bb\u00e9']);
  assert.equal(code, 127);
  assert.match(stderr, /^nix-run-foreign: \.\/a\?\[31m\?\?\?bé: no such file or directory\n {2}/);
});
