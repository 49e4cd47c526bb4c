// A foreign program in a root that holds only /nix → patched it starts by itself with the launcher's set, and goes back.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { chownSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { compile, compileLibrary } from '../compile.ts';
import { foreignNamed, openVendorRoot, uid } from './vendor-root.ts';

const shaOf = (file: string): string => createHash('sha256').update(readFileSync(file)).digest('hex');

const vendor = await openVendorRoot('small');
const curl = vendor.put(foreignNamed(vendor.rig, 'curl'), 'curl');
const first = shaOf(curl);
const firstTime = statSync(curl, { bigint: true }).mtimeNs;

async function manage(...words: string[]) {
  const outcome = await vendor.root.manage(words);
  assert.equal(outcome.status, 0, outcome.stderr);
  return outcome.stdout;
}

/** What a loader that was told to list says it would load: the real files, without itself. */
async function realFiles(listing: string): Promise<string[]> {
  const files = [...listing.matchAll(/^\t\S+ => (\S+)/gm)].map(([, file = '']) => file);
  const script = `for (const f of ${JSON.stringify(files)}) console.log(require('fs').realpathSync(f))`;
  const real = await vendor.root.run({ argv: [vendor.rig.node, '-e', script] });
  assert.equal(real.status, 0, real.stderr);
  const lines = real.stdout.trim().split('\n');
  return lines.filter((file) => !path.basename(file).startsWith('ld-')).sort();
}

const tracing = { LD_TRACE_LOADED_OBJECTS: '1' };

async function filesOfPatched(env: Record<string, string>): Promise<string[]> {
  const { stdout, stderr } = await vendor.root.bare('/vendor/curl', [], { env: { ...env, ...tracing } });
  assert.equal(stderr, '');
  return await realFiles(stdout);
}

test('before: it cannot even be started', async () => {
  assert.equal((await vendor.root.bare('/vendor/curl', ['--version'])).status, 127);
});

test('a dry run says what would be written, and writes nothing', async () => {
  const plan = JSON.parse(await manage('patch', '-n', '--json', '/vendor/curl'));
  assert.equal(shaOf(curl), first);
  assert.equal(plan.realPath, '/vendor/curl');
  assert.match(plan.interpreter.to, /^\/nix\/store\/[0-9a-z]{32}-f\/ld$/);
  assert.equal(plan.runPath.tag.to, 'RPATH');
  assert.ok(plan.lifted.length > 0);
  assert.equal(plan.notLifted, null);
});

test('patched without lifted names it is as large as before, and starts in an empty environment', async () => {
  await manage('patch', '-y', '--no-lift', '/vendor/curl');
  assert.equal(statSync(curl).size, 280_800);
  const { status, stdout } = await vendor.root.bare('/vendor/curl', ['--version'], { env: {} });
  assert.equal(status, 0);
  assert.match(stdout, /^curl 7\.88\.1/);
});

test('the edits of the dry run are exactly the bytes that are changed then', async () => {
  await manage('unpatch', '/vendor/curl');
  const plan = JSON.parse(await manage('patch', '-n', '--json', '/vendor/curl'));
  const old = readFileSync(curl);
  await manage('patch', '-y', '/vendor/curl');
  const now = readFileSync(curl);
  const expected = Buffer.concat([old, Buffer.alloc(plan.grows)]);
  for (const edit of plan.edits) Buffer.from(edit.new, 'hex').copy(expected, edit.offset);
  assert.ok(now.equals(expected));
  assert.ok(now.length <= 280_800 + 6 * 1024, `${now.length} bytes`);
});

test("the files are the launcher's, also under a hostile LD_LIBRARY_PATH, and it runs so", async () => {
  vendor.put(foreignNamed(vendor.rig, 'curl'), 'original');
  assert.equal((await vendor.root.start(['/vendor/original', '--version'])).status, 0);
  const launched = await realFiles((await vendor.root.start(['/vendor/original'], { env: tracing })).stdout);
  assert.equal(launched.length, 31);
  const own = await filesOfPatched({});
  assert.deepEqual(own, launched);
  const bad = path.join(vendor.dir, 'bad');
  mkdirSync(bad);
  const names = ['libc.so.6', 'libresolv.so.2', ...own.map((file) => path.basename(file))];
  const { stdout } = await vendor.root.bare('/vendor/curl', [], { env: tracing });
  names.push(...[...stdout.matchAll(/^\t(\S+) => /gm)].map(([, name = '']) => name));
  for (const name of names) writeFileSync(path.join(bad, name), '');
  chownSync(bad, uid, uid);
  assert.deepEqual(await filesOfPatched({ LD_LIBRARY_PATH: '/vendor/bad' }), own);
  const run = await vendor.root.bare('/vendor/curl', ['--version'], {
    env: { LD_LIBRARY_PATH: '/vendor/bad' },
  });
  assert.equal(run.status, 0, run.stderr);
});

test('said again nothing is done; other choices and back give the same bytes', async () => {
  const patched = shaOf(curl);
  assert.match(await manage('patch', '/vendor/curl'), /nothing is to be done/);
  assert.equal((await vendor.root.manage(['patch', '-n', '/vendor/curl'])).status, 1);
  const { size } = statSync(curl);
  await manage('patch', '-y', '--no-lift', '/vendor/curl');
  assert.notEqual(shaOf(curl), patched);
  await manage('patch', '-y', '/vendor/curl');
  assert.equal(shaOf(curl), patched);
  assert.equal(statSync(curl).size, size);
});

test('the root follows the content: moved, it survives a collection and can be undone', async () => {
  const away = path.join(vendor.dir, 'away');
  mkdirSync(away);
  chownSync(away, uid, uid);
  renameSync(curl, path.join(away, 'tool'));
  const collected = await vendor.root.run({ argv: [`${vendor.rig.nixBin}/nix-store`, '--gc'] });
  assert.equal(collected.status, 0, collected.stderr);
  assert.equal((await vendor.root.bare('/vendor/away/tool', ['--version'])).status, 0);
  await manage('unpatch', '/vendor/away/tool');
  assert.equal(shaOf(path.join(away, 'tool')), first);
  assert.equal(statSync(path.join(away, 'tool'), { bigint: true }).mtimeNs, firstTime);
});

test('without our state, by the farm alone, it is undone too', async () => {
  const tool = vendor.put(foreignNamed(vendor.rig, 'curl'), 'travels');
  await manage('patch', '-y', '/vendor/travels');
  const { status, stderr } = await vendor.root.manage(['unpatch', '/vendor/travels'], {
    env: { XDG_STATE_HOME: '/tmp/elsewhere', XDG_CACHE_HOME: '/tmp/elsewhere' },
  });
  assert.equal(status, 0, stderr);
  assert.equal(shaOf(tool), first);
});

test('a program that finds r_debug by _DYNAMIC does so when it is patched, and is told of what that costs', async () => {
  const library = compileLibrary(path.join(vendor.dir, 'stub/libcurl.so.4'), 'libcurl.so.4', 'int stub;');
  const source = `#include <stdio.h>
    #include <link.h>
    extern ElfW(Dyn) _DYNAMIC[];
    int main(void) {
      for (ElfW(Dyn) *each = _DYNAMIC; each->d_tag != DT_NULL; each++)
        if (each->d_tag == DT_DEBUG)
          puts(((struct r_debug *) each->d_un.d_ptr)->r_map->l_next != NULL ? "listed" : "alone");
      return 0;
    }`;
  const tool = compile(path.join(vendor.dir, 'seeker'), source, ['-s', '-Wl,--no-as-needed', library]);
  chownSync(tool, uid, uid);
  const why = /its code refers to its dynamic table/;
  assert.match(await manage('patch', '-n', '/vendor/seeker'), why);
  assert.match(await manage('patch', '-y', '/vendor/seeker'), why);
  const { status, stdout, stderr } = await vendor.root.bare('/vendor/seeker', [], { env: {} });
  assert.deepEqual([status, stdout, stderr], [0, 'listed\n', '']);
});
