// isLibcFamily: who comes from the loader's own store object, and who only sounds so.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { basename } from 'node:path';
import { test } from 'node:test';
import { isLibcFamily, isLoaderName, requiredNames } from '../../src/elf/library-names.ts';

test('knows the family', () => {
  for (const soname of [
    'libc.so.6',
    'libm.so.6',
    'libmvec.so.1',
    'libpthread.so.0',
    'libdl.so.2',
    'libnsl.so.1',
    'libnss_files.so.2',
    'libthread_db.so.1',
    'libBrokenLocale.so.1',
    'libc_malloc_debug.so.0',
    'ld-linux-x86-64.so.2',
    'ld-linux.so.2',
    'ld-linux-armhf.so.3',
    'ld-linux-aarch64.so.1',
    'ld-linux-riscv64-lp64d.so.1',
    'ld-linux-aarch64_be.so.1',
    'ld64.so.1',
    'ld.so.1',
  ]) {
    assert.ok(isLibcFamily(soname), soname);
  }
});

test('knows who is not of it', () => {
  for (const soname of [
    'libcrypt.so.1',
    'libgcc_s.so.1',
    'libstdc++.so.6',
    'libnsl.so.2',
    'libnsl.so.3',
    'libnss_systemd.so.2',
    'libnss_nis.so.2',
    'libnss3.so',
    'libc.so',
    'libc.musl-x86_64.so.1',
    'ld-musl-x86_64.so.1',
    'libm.so.60',
    'xlibm.so.6',
    'ld-linux-x86-64.so.2.bak',
    'ld.so',
    '',
  ]) {
    assert.ok(!isLibcFamily(soname), soname);
  }
  assert.ok(!isLoaderName('libc.so.6'));
});

test('what an object filters is needed, but not of musl', () => {
  const filter = ['libreal.so.1', 'libz.so.1'];
  const withLibc = (libc: string) => requiredNames({ needed: ['libz.so.1', libc], filter });
  assert.deepEqual(withLibc('libc.so.6'), ['libz.so.1', 'libc.so.6', 'libreal.so.1']);
  for (const libc of ['libc.so', 'libc.musl-x86_64.so.1'])
    assert.deepEqual(withLibc(libc), ['libz.so.1', libc]);
});

test('knows every library that Debian packs with glibc', (context) => {
  const list = spawnSync('dpkg', ['-L', 'libc6'], { encoding: 'utf8' });
  if (list.status !== 0) return context.skip('not a Debian system');
  const names = list.stdout
    .split('\n')
    // Converters keep libraries of their own beside them.
    .filter((path) => !path.includes('/gconv/'))
    .map((path) => basename(path))
    .filter((name) => /^(lib|ld).*\.so(\.\d+)*$/.test(name));
  assert.ok(names.length > 10);
  assert.deepEqual(
    names.filter((name) => !isLibcFamily(name)),
    [],
  );
});
