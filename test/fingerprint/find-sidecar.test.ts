// Real files beside and above a program → the one that is trusted, and what is said of the others.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { canonicalText, signedText } from '../../src/fingerprint/fingerprint.ts';
import {
  findSidecar,
  type SidecarSearch,
  sidecarLocations,
  sidecarOf,
  TREE_NAME,
} from '../../src/fingerprint/sidecar.ts';
import { signFingerprint } from '../../src/fingerprint/signature.ts';
import { treeText } from '../../src/fingerprint/tree-file.ts';
import { changed, good, put, STORE, secretKey } from './documents.ts';

const me = process.geteuid?.() ?? 0;
const vendor = secretKey('vendor-1', 1);
const text = canonicalText(good);
const tree = treeText([{ sha256: good.program.sha256, text }]);
const otherText = canonicalText(changed((each) => (each.program.sha256 = 'cd'.repeat(32))));

let scratch: string;
let program: string;
beforeEach(() => {
  scratch = realpathSync(mkdtempSync(path.join(tmpdir(), 'find-sidecar-')));
  chmodSync(scratch, 0o755);
  program = put(path.join(scratch, 'v/bin/tool'), '');
});
afterEach(() => rmSync(scratch, { recursive: true, force: true }));

async function search(typedName = program): Promise<SidecarSearch> {
  // Above the scratch directory anything may lie.
  const places = sidecarLocations(typedName, program).filter(({ file }) => file.startsWith(scratch));
  return await findSidecar(
    places,
    good.program,
    { user: me, program: me },
    { storeDir: STORE, keys: [vendor.public] },
  );
}

test('nothing there: nothing trusted, nothing refused', async () => {
  assert.deepEqual(await search(), { refused: [] });
});

test('the sidecar of the real file, then of the link, then the nearest tree', async () => {
  const link = path.join(scratch, 'links/t');
  put(path.join(scratch, 'links/x'), '');
  symlinkSync(program, link);
  const files = [
    put(sidecarOf(program), text),
    put(sidecarOf(link), text),
    put(path.join(scratch, 'v/bin', TREE_NAME), tree),
    put(path.join(scratch, 'v', TREE_NAME), tree),
  ];
  for (const file of files) {
    const found = await search(link);
    assert.equal(found.trusted?.file, file);
    assert.deepEqual(found.trusted?.fingerprint, good);
    assert.deepEqual(found.refused, []);
    rmSync(file);
  }
  assert.deepEqual(await search(link), { refused: [] });
});

test('one that is refused does not hide the next, and is named', async () => {
  const first = put(sidecarOf(program), otherText);
  const second = put(path.join(scratch, 'v/bin', TREE_NAME), 'x');
  const third = put(path.join(scratch, 'v', TREE_NAME), treeText([]));
  const last = put(path.join(scratch, TREE_NAME), tree);
  const found = await search();
  assert.equal(found.trusted?.file, last);
  assert.deepEqual(
    found.refused.map(({ file, cause }) => [file, cause]),
    [
      [first, 'other-program'],
      [second, 'tree'],
    ],
  );
  assert.ok(third);
});

test('a directory anyone may write to: refused unsigned, trusted signed', async () => {
  put(sidecarOf(program), text);
  chmodSync(path.dirname(program), 0o777);
  const found = await search();
  assert.equal(found.trusted, undefined);
  assert.deepEqual(
    found.refused.map(({ cause }) => cause),
    ['directory-open'],
  );
  put(sidecarOf(program), signedText(good, [signFingerprint(good, vendor)]));
  assert.equal((await search()).trusted?.signedBy, 'vendor-1');
});

test('in a tree every program has its own signatures', async () => {
  const signed = signedText(good, [signFingerprint(good, vendor)]);
  const file = path.join(scratch, 'v', TREE_NAME);
  put(
    file,
    treeText([
      { sha256: good.program.sha256, text: signed },
      { sha256: 'cd'.repeat(32), text: otherText },
    ]),
  );
  chmodSync(file, 0o666);
  assert.equal((await search()).trusted?.signedBy, 'vendor-1');
});

test('where there is nothing to judge, neither the schema library nor the keys are loaded', () => {
  const source = path.resolve(import.meta.dirname, '../../src/fingerprint');
  const script = `
    const loaded = [];
    require('node:module').registerHooks({ load(url, context, next) { loaded.push(url); return next(url, context); } });
    (async () => {
      const { findSidecar, sidecarLocations } = await import('${source}/sidecar.ts');
      const program = { sha256: '0'.repeat(64), size: 1, system: 'x86_64-linux', interpreter: '/lib/ld.so' };
      const trust = { storeDir: '/nix/store', keys: [] };
      const places = sidecarLocations('${program}', '${program}');
      await findSidecar(places, program, { user: 1, program: 1 }, trust);
      console.log(JSON.stringify({ places: places.length, loaded }));
    })();`;
  const output = execFileSync(process.execPath, ['-e', script], { encoding: 'utf8' });
  const { places, loaded } = JSON.parse(output) as { places: number; loaded: string[] };
  assert.ok(places >= 2 && loaded.some((url) => url.endsWith('/sidecar.ts')), output);
  assert.deepEqual(
    loaded.filter((url) => /valibot|\/(?:parse-fingerprint|signature)\.ts$/.test(url)),
    [],
  );
});
