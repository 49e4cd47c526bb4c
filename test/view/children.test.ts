// What a program names as its interpreter → what sits where its children look.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { findMachine } from '../../src/elf/machine.ts';
import { interpreterOfChildren } from '../../src/view/children.ts';

const directory = mkdtempSync(path.join(tmpdir(), 'children-'));
after(() => rmSync(directory, { recursive: true }));

function put(name: string, text: string): string {
  const file = path.join(directory, name);
  writeFileSync(file, `\x7fELF ${text}`);
  return file;
}

const x86 = findMachine({ class: 64, machine: 62 }) ?? assert.fail();
const launcher = put('launcher', 'nix-run-foreign plan');
const stub = put('stub-ld', 'NixOS cannot run dynamically linked executables');

test('the launcher by a path of its own is nothing to the children, at the usual path it is', () => {
  for (const usual of [stub, path.join(directory, 'none'), launcher]) {
    const machine = { ...x86, interpreter: usual };
    assert.equal(interpreterOfChildren(launcher, machine).path, usual);
    assert.equal(interpreterOfChildren(usual, machine).path, usual);
  }
});

test('any other interpreter is that of the children too', () => {
  assert.equal(interpreterOfChildren(stub, { ...x86, interpreter: launcher }).kind, 'stub-ld');
});
