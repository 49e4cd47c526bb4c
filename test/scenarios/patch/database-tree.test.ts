// npm's PostgreSQL, patched as a tree → initdb starts its server and its clusters run, wherever the tree is moved; undone it
// is what it was.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  cpSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { bytesInMemory } from '../../../src/elf/reader.ts';
import { readImage } from '../../../src/integrations/patch/elf-image.ts';
import { treePackage } from '../../rig/npm/tree-packages.ts';
import { ensureRig } from '../../rig/rig.ts';
import { sampled } from '../../sample.ts';
import { openVendorRoot, uid } from './vendor-root.ts';

const native = path.join(await treePackage('postgres'), 'native');

/** initdb asks a shell to run the server, and every NixOS has one there. */
const commands = mkdtempSync(path.join(tmpdir(), 'nix-run-foreign-bin-'));
after(() => rmSync(commands, { recursive: true, force: true }));
chmodSync(commands, 0o755);
symlinkSync((await ensureRig('full')).bash, path.join(commands, 'sh'));

const vendor = await openVendorRoot('full', {
  binds: [{ from: commands, to: '/bin', mode: 'read-only' }],
});
const at = (name: string): string => path.join(vendor.dir, name);

function filesIn(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' }).sort();
}

function unpack(name: string, links: 'as npm leaves it' | 'with its links'): void {
  cpSync(native, at(name), { recursive: true, preserveTimestamps: true });
  for (const program of readdirSync(at(`${name}/bin`))) chmodSync(at(`${name}/bin/${program}`), 0o755);
  if (links === 'with its links') {
    rmSync(at(`${name}/lib/postgresql/pgxs`), { recursive: true });
    const text = readFileSync(path.join(native, 'pg-symlinks.json'), 'utf8');
    for (const { source, target } of JSON.parse(text) as { source: string; target: string }[])
      symlinkSync(path.relative(path.dirname(target), source), at(target.replace(/^native/, name)));
  }
  for (const each of ['.', ...filesIn(at(name))]) lchownSync(at(path.join(name, each)), uid, uid);
}

/** Content, modes and times of all files. */
function sums(name: string): string {
  const lines = filesIn(at(name)).map((each) => {
    const file = at(path.join(name, each));
    const { mode, mtimeNs } = lstatSync(file, { bigint: true });
    if (!lstatSync(file).isFile()) return `${each} ${mode}`;
    return `${each} ${mode} ${mtimeNs} ${createHash('sha256').update(readFileSync(file)).digest('hex')}`;
  });
  return lines.join('\n');
}

const manage = async (...words: string[]) => await vendor.root.manage(words, { timeoutMs: 300_000 });

async function initialise(tree: string, data: string) {
  const words = ['-D', data, '-U', 'me', '--no-sync', '-c', 'dynamic_shared_memory_type=sysv'];
  return await vendor.root.bare(`/vendor/${tree}/bin/initdb`, words, { timeoutMs: 300_000 });
}

for (const links of sampled(['with its links', 'as npm leaves it'] as const, 2))
  test(`${links}: the tree is patched, works, is moved, works, and goes back`, async () => {
    const name = links.replaceAll(' ', '-');
    const moved = `${name}-moved`;
    unpack(name, links);
    mkdirSync(at(`data-${name}`));
    chownSync(at(`data-${name}`), uid, uid);
    const before = sums(name);
    const first = await initialise(name, `/vendor/data-${name}/none`);
    assert.equal(first.status, 127, first.stdout);
    const { status, stderr } = await manage('patch', '-y', '--tree', `/vendor/${name}`);
    // A program of the tests of extensions, whose run path is that of the machine where it was built.
    const isWhole = links === 'as npm leaves it';
    const failed = [...stderr.matchAll(/^nix-foreign: (\S+): (?!the library )/gm)].map(
      ([, file = '']) => file,
    );
    assert.deepEqual(
      failed.map((file) => path.basename(file)),
      isWhole ? ['isolationtester'] : [],
      stderr,
    );
    assert.equal(status, isWhole ? 126 : 0);
    for (const each of ['initdb', 'pg_ctl', 'postgres']) {
      const old = readFileSync(path.join(native, 'bin', each));
      const most = readImage(bytesInMemory(old)).strings.size + 4096;
      const grown = statSync(at(`${name}/bin/${each}`)).size - old.length;
      assert.ok(grown <= most, `${each}: ${grown} bytes larger, and at most ${most}`);
    }
    assert.ok(statSync(at(`${name}/bin/initdb`)).size < 210_000);
    const made = await initialise(name, `/vendor/data-${name}/one`);
    assert.equal(made.status, 0, made.stderr + made.stdout);
    renameSync(at(name), at(moved));
    const again = await initialise(moved, `/vendor/data-${name}/two`);
    assert.equal(again.status, 0, again.stderr);
    const single = ['--single', '-D', `/vendor/data-${name}/two`, 'postgres'];
    const asked = await vendor.root.bare(`/vendor/${moved}/bin/postgres`, single, {
      stdin: 'select 6*7 as answer;\n',
    });
    assert.match(asked.stdout, /answer = "42"/, asked.stderr);
    const undone = await manage('unpatch', '--tree', `/vendor/${moved}`);
    assert.equal(undone.status, 0, undone.stderr);
    assert.equal(sums(moved), before);
  });
