// Attributes and the system of a program → the line that brings them, and where Nix does not do it unasked.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { machineOfSystem } from '../../src/elf/machine.ts';
import { absentName } from '../../src/index/absent-names.ts';
import { foreignSystem, nixBuild } from '../../src/index/nix-build-line.ts';
import { OTHER } from '../elf/foreign-program.ts';

const line = (system: string | undefined, arch: string) => nixBuild(['zlib', 'curl.out'], system, arch);

test('the system is named where it is not that of this machine', () => {
  const own = "nix-build '<nixpkgs>' -A zlib -A curl.out";
  assert.equal(line('x86_64-linux', 'x64'), own);
  assert.equal(line('aarch64-linux', 'arm64'), own);
  assert.equal(line('s390x-linux', 's390x'), own);
  for (const unknown of ['', undefined]) assert.equal(line(unknown, 'x64'), own);
  const of = (system: string) => `nix-build '<nixpkgs>' --argstr system ${system} -A zlib -A curl.out`;
  assert.equal(line('i686-linux', 'x64'), of('i686-linux'));
  assert.equal(line('aarch64-linux', 'x64'), of('aarch64-linux'));
  assert.equal(line('x86_64-linux', 'arm64'), of('x86_64-linux'));
  assert.deepEqual([foreignSystem('i686-linux', 'x64'), foreignSystem('', 'x64')], ['i686-linux', undefined]);
});

test('what no cache has, and Nix builds for here only when it is told to, says so', () => {
  for (const [system, arch] of [
    ['armv7l-linux', 'arm64'],
    ['i686-linux', 'arm64'],
    ['s390x-linux', 'x64'],
    ['mips64el-linux', 'x64'],
    ['riscv64-linux', 'x64'],
  ] as const) {
    assert.ok(machineOfSystem(system), system);
    const told = `--argstr system ${system} -A zlib -A curl.out, which Nix builds only where extra-platforms or builders in nix.conf name ${system}`;
    assert.equal(line(system, arch), `nix-build '<nixpkgs>' ${told}`);
  }
});

test('a name of an old package: the line is for the machine of the program', () => {
  for (const [name, attribute] of [
    ['libtinfo.so.5', 'ncurses5'],
    ['libncursesw.so.5', 'ncurses5'],
    ['libffi.so.7', 'libffi_3_3'],
  ] as const) {
    const remedy = (system: string) => absentName(name, system)?.remedy ?? '';
    assert.ok(remedy(OTHER.system).endsWith(`'<nixpkgs>' --argstr system ${OTHER.system} -A ${attribute}`));
    assert.ok(remedy('').endsWith(`'<nixpkgs>' -A ${attribute}`));
  }
});
