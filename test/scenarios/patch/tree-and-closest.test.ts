// A vendor's directory, and a program whose library has another version in the store → patched, moved, and as before.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { chownSync, linkSync, lstatSync, mkdirSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { elfFileAt } from '../../../src/elf/open-elf.ts';
import { compile, compileLibrary } from '../compile.ts';
import { openVendorRoot, uid } from './vendor-root.ts';

const vendor = await openVendorRoot('full');
const at = (name: string): string => path.join(vendor.dir, name);

async function manage(...words: string[]) {
  const outcome = await vendor.root.manage(words);
  assert.equal(outcome.status, 0, outcome.stderr);
  return outcome;
}

function sums(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((name) => lstatSync(path.join(directory, name)).isFile())
    .sort()
    .map((name) => {
      const file = path.join(directory, name);
      return `${name} ${createHash('sha256').update(readFileSync(file)).digest('hex')} ${lstatSync(file, { bigint: true }).mtimeNs}`;
    });
}

function own(directory: string): void {
  chownSync(directory, uid, uid);
  for (const name of readdirSync(directory, { recursive: true, encoding: 'utf8' }))
    chownSync(path.join(directory, name), uid, uid);
}

test('every program of a tree is patched, finds its own library and its sibling, and the tree can be moved', async () => {
  mkdirSync(at('app/bin'), { recursive: true });
  const library = compileLibrary(at('app/lib/libown.so.1'), 'libown.so.1', 'int own(void) { return 42; }');
  const flags = [library, '-Wl,-rpath,$ORIGIN/../lib'];
  compile(
    at('app/bin/helper'),
    '#include <stdio.h>\nint own(void); int main(void) { printf("helper %d\\n", own()); return 0; }',
    flags,
  );
  const source = `#include <stdio.h>
    #include <unistd.h>
    #include <string.h>
    int own(void);
    int main(void) {
      char file[4096] = {0};
      if (readlink("/proc/self/exe", file, sizeof file - 1) < 0) return 1;
      strcpy(strrchr(file, '/') + 1, "helper");
      printf("main %d\\n", own());
      fflush(stdout);
      return execl(file, file, (char *) 0);
    }`;
  compile(at('app/bin/main'), source, flags);
  linkSync(at('app/bin/helper'), at('app/bin/also-helper'));
  own(at('app'));
  const before = sums(at('app'));
  assert.equal((await vendor.root.bare('/vendor/app/bin/main')).status, 127);
  await manage('patch', '--tree', '/vendor/app');
  const { status, stdout } = await vendor.root.bare('/vendor/app/bin/main', [], { env: {} });
  assert.deepEqual([status, stdout], [0, 'main 42\nhelper 42\n']);
  assert.equal(lstatSync(at('app/bin/helper')).ino, lstatSync(at('app/bin/also-helper')).ino);
  renameSync(at('app'), at('moved'));
  assert.equal(
    (await vendor.root.bare('/vendor/moved/bin/main', [], { env: {} })).stdout,
    'main 42\nhelper 42\n',
  );
  await manage('unpatch', '--tree', '/vendor/moved');
  assert.deepEqual(sums(at('moved')), before);
});

test('another version is named in the program itself, where versions are needed too, and by its old name in the farm', async () => {
  const stub =
    'int rl_readline_version = 0x700; void add_history(const char *l) {} void *history_get(int n) { return 0; }';
  const library = compileLibrary(at('libreadline.so.7'), 'libreadline.so.7', stub);
  const source = `#include <stdio.h>
    #include <dlfcn.h>
    extern int rl_readline_version; void add_history(const char *); struct { char *line; } *history_get(int);
    int main(void) {
      add_history("kept");
      printf("%s %x %s\\n", history_get(1)->line, rl_readline_version, dlopen("libreadline.so.7", RTLD_NOW) ? "alias" : dlerror());
      return 0;
    }`;
  const file = compile(at('closest'), source, [library]);
  chownSync(file, uid, uid);
  renameSync(library, at('not-there'));
  const first = createHash('sha256').update(readFileSync(file)).digest('hex');
  await manage('patch', '/vendor/closest');
  assert.ok(elfFileAt(file)?.needed.includes('libreadline.so.8'));
  assert.ok(!elfFileAt(file)?.needed.includes('libreadline.so.7'));
  const { status, stdout, stderr } = await vendor.root.bare('/vendor/closest', [], { env: {} });
  assert.equal(status, 0, stderr);
  assert.match(stdout, /^kept 80\d alias\n$/);
  await manage('patch', '--no-rename', '/vendor/closest');
  assert.ok(elfFileAt(file)?.needed.includes('libreadline.so.7'));
  assert.equal((await vendor.root.bare('/vendor/closest', [], { env: {} })).status, 0);
  await manage('unpatch', '/vendor/closest');
  assert.equal(createHash('sha256').update(readFileSync(file)).digest('hex'), first);
});

test('a run before and after is compared where that is asked for', async () => {
  const file = compile(
    at('tried'),
    '#include <stdio.h>\nint main(int n, char **v) { printf("%d %s\\n", n, v[1]); return 3; }',
  );
  chownSync(file, uid, uid);
  const { stdout } = await manage('patch', '--try', 'word', '/vendor/tried');
  assert.match(stdout, /run with word: the same/);
  const reads = compile(
    at('reads-itself'),
    '#include <stdio.h>\n#include <sys/stat.h>\nint main(int n, char **v) { struct stat s; stat("/proc/self/exe", &s); printf("%ld\\n", (long) s.st_size); return 0; }',
  );
  chownSync(reads, uid, uid);
  const outcome = await vendor.root.manage([
    'patch',
    '--method',
    'append',
    '--try',
    'x',
    '/vendor/reads-itself',
  ]);
  assert.equal(outcome.status, 126);
  assert.match(outcome.stderr, /the patched copy is not as good: run with x it prints something else/);
});
