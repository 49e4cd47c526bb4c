// The table of machines: names, and that keys find their row.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findMachine, machineName, machineOfSystem, machinesRunBy } from '../../src/elf/machine.ts';

test('names x86-64 in every vocabulary', () => {
  assert.deepEqual(findMachine({ class: 64, machine: 62 }), {
    class: 64,
    machine: 62,
    byteOrder: 'little',
    name: 'x86-64',
    system: 'x86_64-linux',
    nixLdSuffix: 'x86_64_linux',
    interpreter: '/lib64/ld-linux-x86-64.so.2',
    loaderSoname: 'ld-linux-x86-64.so.2',
    muslLoader: 'ld-musl-x86_64.so.1',
  });
});

test('tells class and byte order apart', () => {
  assert.equal(findMachine({ class: 32, machine: 3 })?.system, 'i686-linux');
  assert.equal(findMachine({ class: 64, machine: 183 })?.nixLdSuffix, 'aarch64_linux');
  assert.equal(findMachine({ class: 64, machine: 21, byteOrder: 'little' })?.system, 'powerpc64le-linux');
  assert.equal(findMachine({ class: 64, machine: 21, byteOrder: 'big' })?.system, 'powerpc64-linux');
  assert.equal(findMachine({ class: 32, machine: 62 }), undefined);
  assert.equal(findMachine({ class: 64, machine: 62, byteOrder: 'big' }), undefined);
});

test('finds the machine of a Nix system', () => {
  assert.equal(machineOfSystem('armv7l-linux')?.loaderSoname, 'ld-linux-armhf.so.3');
  assert.equal(machineOfSystem('x86_64-darwin'), undefined);
});

test('has a name for people for every machine', () => {
  assert.equal(machineName({ class: 64, machine: 183, byteOrder: 'little' }), '64-bit ARM');
  assert.equal(machineName({ class: 32, machine: 62 }), 'x32 (32-bit, little-endian)');
  assert.equal(machineName({ class: 64, machine: 43, byteOrder: 'big' }), 'SPARC V9 (64-bit, big-endian)');
  assert.equal(machineName({ class: 64, machine: 999 }), 'machine 999 (64-bit, little-endian)');
});

test('a 64-bit kernel runs its 32-bit sister too', () => {
  assert.deepEqual(
    machinesRunBy('x64').map(({ system }) => system),
    ['x86_64-linux', 'i686-linux'],
  );
  assert.deepEqual(machinesRunBy('mips'), []);
});
