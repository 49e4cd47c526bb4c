// The remedy for a set that the loader refuses follows from what it said and from what was chosen.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NO_CHOICES } from '../../src/choices/choices.ts';
import { remedyOfRejection } from '../../src/resolve/from-store.ts';
import { OTHER } from '../elf/foreign-program.ts';

const object = `/nix/store/${'0'.repeat(32)}-foo-1.0`;
const remedy = (complaint: string, closest: readonly string[] = [], choices = NO_CHOICES) =>
  remedyOfRejection({ typedName: './tool' }, [complaint], closest, choices);

test('the library that the loader names is left out', () => {
  assert.match(
    remedy(`${object}/lib/libfoo.so.1: invalid ELF header`),
    /choose \.\/tool --exclude 'foo-1\.0'/,
  );
  assert.match(remedy(`${object}: broken`), /--exclude 'foo-1\.0'/);
});

test('other builds are brought for the machine of the program', () => {
  const program = { typedName: './tool', elf: OTHER };
  const system = `--argstr system ${OTHER.system} -A PACKAGE, and`;
  for (const [complaint, closest] of [
    [`${object}: broken`, []],
    ['', []],
    ['', ['one']],
  ] as const) {
    const told = remedyOfRejection(program, [complaint], closest, NO_CHOICES);
    assert.ok(told.includes(system), told);
  }
});

test('nobody in particular: other builds; closest matches: the exact ones; choices: taken back', () => {
  const nobody = 'tool needs the symbol x, which nobody defines';
  assert.match(remedy(nobody), /^bring other builds/);
  assert.match(remedy(nobody, ['one']), /^bring the exact library into/);
  assert.match(remedy(nobody, ['one', 'two']), /^bring the exact libraries into/);
  assert.match(remedy(nobody, ['one'], { ...NO_CHOICES, exclude: ['x'] }), /--reset$/);
  for (const closest of [[], ['one']]) assert.doesNotMatch(remedy(nobody, closest), /choose/);
});
