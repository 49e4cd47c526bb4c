// What sits at an interpreter path → what the doctor says of it, as the strategies have it, and what it says to do.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { checkInterpreter } from '../../src/cli/doctor/interpreter-checks.ts';
import { chooseStrategy, type InterpreterKind } from '../../src/plan/strategy.ts';
import { reportOfChildren } from '../../src/view/children.ts';

const X86_64 = '/lib64/ld-linux-x86-64.so.2';
const I686 = '/lib/ld-linux.so.2';
const at = (kind: InterpreterKind, path = X86_64) => ({ path, kind, realPath: path, version: undefined });
const KINDS = ['missing', 'stub-ld', 'unknown'] as const;

for (const kind of KINDS)
  test(`${kind}: a program that reads /proc/self/exe is started as the doctor says`, () => {
    const works = () => undefined;
    const { strategy } = chooseStrategy({
      interpreter: at(kind),
      libc: undefined,
      machine: 'own',
      readsItself: 'Bun',
      whyNo: { view: works, namespace: works, copy: works },
    });
    const { state, detail } = checkInterpreter('x86_64-linux', at(kind), false);
    assert.equal(state, 'note');
    assert.match(detail, strategy === 'view' ? /get a view, where one can be made$/ : /start from a copy$/);
    assert.doesNotMatch(detail, /is the loader/);
  });

test('nix-ld that does not enter the launcher is a note, with what has it do so', () => {
  const entered = checkInterpreter('x', at('nix-ld'), true, 'by-nix-ld');
  assert.deepEqual([entered.state, entered.remedy], ['ok', undefined]);
  assert.match(entered.detail, /: nix-ld: it enters the launcher: /);
  for (const onNixOs of [true, false]) {
    const { state, detail, remedy = '' } = checkInterpreter('x', at('nix-ld'), onNixOs);
    assert.equal(state, 'note');
    assert.match(detail, /: nix-ld: .* with nix-ld's own libraries/);
    assert.match(
      remedy,
      onNixOs ? /interpreter = "nix-ld"; \}; and a new login/ : /: NIX_LD=\S+nix-run-foreign, /,
    );
  }
});

test('where a rule of binfmt_misc takes programs, what sits at the path is no matter', () => {
  for (const kind of [...KINDS, 'nix-ld', 'launcher', 'loader'] as const) {
    const { strategy } = chooseStrategy({
      interpreter: at(kind),
      libc: undefined,
      machine: 'own',
      byBinfmt: true,
    });
    assert.equal(strategy, 'loader');
    for (const [entry, meaning] of [
      ['with-program', /: a rule of binfmt_misc hands .*: they start by their loader or from a copy$/],
      ['as-loader', /: by a rule of binfmt_misc the launcher is their loader: /],
    ] as const) {
      const { state, detail, remedy } = checkInterpreter('x', at(kind), false, entry);
      assert.deepEqual([state, remedy], ['ok', undefined]);
      assert.match(detail, meaning);
    }
  }
});

test('options of NixOS are named on NixOS alone, those of our module, for 32-bit programs their own', () => {
  const module = readFileSync('nix/nixos-module.nix', 'utf8');
  const children = (path: string) =>
    reportOfChildren('x', { strategy: 'loader' }, { kind: 'missing', path }, () => 'it is forbidden').remedy;
  for (const kind of KINDS)
    for (const path of [X86_64, I686]) {
      const { remedy = '' } = checkInterpreter('x', at(kind, path), true);
      const [, option = ''] =
        /: programs\.nix-run-foreign = \{ enable = true; (\w+) = .*; \};$/.exec(remedy) ?? [];
      assert.equal(option, path === I686 ? 'support32Bit' : 'interpreter');
      assert.match(module, new RegExp(`^    ${option} = mkOption`, 'm'));
      assert.match(remedy, / interpreter = "nix-ld"; \};$/, 'where it is null the others do nothing');
      const elsewhere = checkInterpreter('x', at(kind, path), false).remedy ?? '';
      assert.doesNotMatch(elsewhere, /programs\./);
      assert.equal(elsewhere.includes(`a link at ${path}`), kind === 'missing');
      assert.doesNotMatch(children(path) ?? '', /nix-ld\.enable/);
    }
});

test('of children, what sits there has a name that people know', () => {
  const whatOf = (kind: InterpreterKind) =>
    reportOfChildren('x', { strategy: 'loader' }, at(kind), () => undefined).what;
  assert.match(whatOf('missing'), /\(nothing is at /);
  assert.match(whatOf('unknown'), /\(a program that we do not know is at /);
  assert.match(whatOf('stub-ld'), /\(NixOS' stub-ld is at /);
});

test('of children that a rule of binfmt_misc starts nothing is to be mended', () => {
  const plan = { strategy: 'loader', rule: '/proc/sys/fs/binfmt_misc/x' } as const;
  const { what, remedy } = reportOfChildren('x', plan, at('missing'), () => undefined);
  assert.match(what, /find their own libraries, by a rule of binfmt_misc/);
  assert.equal(remedy, undefined);
});
