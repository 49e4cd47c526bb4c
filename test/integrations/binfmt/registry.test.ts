// Rules read from, written to and removed from a directory as the kernel's is, with a kernel that knows L and one that does not.
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { machinesRunBy } from '../../../src/elf/machine.ts';
import { isOn } from '../../../src/host/registered-rule.ts';
import {
  register,
  registered,
  registerIn,
  removeAll,
  ruleFor,
  ruleTaking,
} from '../../../src/integrations/binfmt/binfmt-registry.ts';
import { rulesFor } from '../../../src/integrations/binfmt/binfmt-rules.ts';
import { matchedNatives } from '../../../src/integrations/binfmt/native-programs.ts';
import { compile } from '../../scenarios/compile.ts';

const scratch = mkdtempSync(path.join(tmpdir(), 'registry-'));
after(() => rmSync(scratch, { recursive: true, force: true }));
const rules = rulesFor(machinesRunBy('x64'));
const [foreignRule] = rules;
const appImage = rules.find(({ name }) => name.includes('appimage'));
if (foreignRule === undefined || appImage === undefined) throw new Error('there are no rules');

function sat(name: string): string {
  const directory = path.join(scratch, name);
  mkdirSync(directory);
  writeFileSync(path.join(directory, 'register'), '');
  writeFileSync(path.join(directory, 'status'), 'enabled\n');
  const entry = 'enabled\ninterpreter /opt/launcher\nflags: PF\noffset 0\nmagic 7f454c46\n';
  writeFileSync(path.join(directory, 'nix-run-foreign-x86_64'), entry);
  writeFileSync(path.join(directory, 'qemu-aarch64'), entry);
  return directory;
}

test('only our rules are listed', () => {
  const directory = sat('listed');
  assert.deepEqual(registered(directory), [
    { name: 'nix-run-foreign-x86_64', enabled: true, interpreter: '/opt/launcher', flags: 'PF' },
  ]);
  assert.ok(isOn(directory));
  writeFileSync(path.join(directory, 'status'), 'disabled\n');
  assert.ok(!isOn(directory));
});

test('nothing is mounted', () => {
  assert.equal(registered('/nowhere'), undefined);
  assert.ok(!isOn('/nowhere'));
  assert.deepEqual(removeAll('/nowhere'), []);
});

test('only our rules are removed', () => {
  const directory = sat('removed');
  assert.deepEqual(removeAll(directory), ['nix-run-foreign-x86_64']);
  assert.match(readFileSync(path.join(directory, 'nix-run-foreign-x86_64'), 'utf8'), /^-1/);
  assert.match(readFileSync(path.join(directory, 'qemu-aarch64'), 'utf8'), /^enabled/);
});

const refusing = (errno: string) => () => {
  throw Object.assign(new Error(errno), { code: errno });
};

test('a kernel with L gets it for programs, and P for AppImages', () => {
  const lines: string[] = [];
  const write = (line: string) => void lines.push(line);
  assert.equal(register(foreignRule, '/opt/launcher', '/kernel', write), 'LF');
  assert.equal(register(appImage, '/opt/launcher', '/kernel', write), 'PF');
  assert.match(lines[0] ?? '', /:\/opt\/launcher:LF$/);
  assert.match(lines[1] ?? '', /:\/opt\/launcher:PF$/);
});

test('a kernel without L gets P', () => {
  const lines: string[] = [];
  const write = (line: string) => {
    lines.push(line);
    if (line.endsWith(':LF')) refusing('EINVAL')();
  };
  assert.equal(register(foreignRule, '/opt/launcher', '/kernel', write), 'PF');
  assert.deepEqual(
    lines.map((line) => line.slice(-2)),
    ['LF', 'PF'],
  );
});

test('a refusal says who may', () => {
  const expected = { code: 'binfmt', hint: /only root may change/ };
  assert.throws(() => register(foreignRule, '/l', '/kernel', refusing('EACCES')), expected);
  assert.throws(() => register(foreignRule, '/l', '/kernel', refusing('EINVAL')), { code: 'binfmt' });
});

test('one write for one line', () => {
  const directory = sat('written');
  registerIn(directory)(':x:M::y::/z:');
  assert.equal(readFileSync(path.join(directory, 'register'), 'utf8'), ':x:M::y::/z:');
});

test('native programs are found in directories and among what is needed, links followed', () => {
  const directory = path.join(scratch, 'bin');
  const foreign = compile(path.join(directory, 'foreign'), 'int main(void) { return 0; }');
  compile(path.join(directory, 'static'), 'int main(void) { return 0; }', ['-static']);
  writeFileSync(path.join(directory, 'script'), '#!/bin/sh\n', { mode: 0o755 });
  assert.deepEqual(matchedNatives(rules, [], [directory, '/nowhere']), [foreign]);
  assert.deepEqual(matchedNatives(rules, [foreign, '/nowhere/x'], []), [foreign]);
  assert.deepEqual(matchedNatives(rules, [], ['/nowhere']), []);
});

test('whoever may not remove them is told to say that again, not the opposite', () => {
  const directory = sat('denied');
  chmodSync(scratch, 0o755);
  chmodSync(path.join(directory, 'nix-run-foreign-x86_64'), 0o444);
  const isRoot = process.geteuid?.() === 0;
  if (isRoot) process.seteuid?.(65_534);
  try {
    for (const verb of ['remove', 'install'] as const)
      assert.throws(() => removeAll(directory, verb), {
        hint: new RegExp(`sudo env "PATH=\\$PATH" nix-foreign binfmt ${verb}$`),
      });
  } finally {
    if (isRoot) process.seteuid?.(0);
  }
});

test('a program is taken by the rule that matches it, while that is on and calls the launcher', () => {
  const directory = sat('taking');
  const [machine] = machinesRunBy('x64');
  if (machine === undefined) throw new Error('there is no machine');
  const rule = path.join(directory, 'nix-run-foreign-x86_64');
  const linkTo = (loader: string) => [`-Wl,--dynamic-linker=${loader}`];
  const source = 'int main(void) { return 0; }';
  const foreign = compile(path.join(scratch, 'foreign'), source, linkTo(machine.interpreter));
  const native = compile(path.join(scratch, 'native'), source, linkTo(`/nix/store${machine.interpreter}`));
  const musl = compile(path.join(scratch, 'musl'), source, linkTo(`/lib/${machine.muslLoader}`));
  const entry = (first: string, flags: string) =>
    writeFileSync(rule, `${first}\ninterpreter /opt/launcher\nflags: ${flags}\n`);
  assert.equal(ruleTaking(foreign, machine, directory), rule);
  for (const other of [native, musl]) assert.equal(ruleTaking(other, machine, directory), undefined, other);
  assert.equal(ruleFor(machine, directory), rule);
  entry('enabled', 'LF');
  assert.equal(ruleTaking(foreign, machine, directory), undefined);
  assert.equal(ruleFor(machine, directory), rule, 'children start by this one, too');
  entry('disabled', 'PF');
  assert.equal(ruleTaking(foreign, machine, directory), undefined);
  assert.equal(ruleFor(machine, directory), undefined);
  entry('enabled', 'PF');
  writeFileSync(path.join(directory, 'status'), 'disabled\n');
  assert.equal(ruleTaking(foreign, machine, directory), undefined);
  assert.equal(ruleTaking(foreign, machine, '/nowhere'), undefined);
  for (const each of [directory, '/nowhere']) assert.equal(ruleFor(machine, each), undefined);
});
