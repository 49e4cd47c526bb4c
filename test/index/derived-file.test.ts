// A catalogue → one signed file → the same catalogue elsewhere; and files that are not to be trusted.
import assert from 'node:assert/strict';
import { generateKeyPairSync, sign as signBytes, verify as verifyBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { zstdCompressSync } from 'node:zlib';
import { derivedFile, type Sign, type Verify } from '../../src/index/derived-file.ts';
import { catalogueStatus, exportIndex } from '../../src/index/manage-indexes.ts';
import type { PackageObjects } from '../../src/index/package-objects.ts';
import { type CataloguePlace, readSource, type SourceState } from '../../src/index/read-source.ts';
import { openSideCatalogue } from '../../src/index/side-catalogue.ts';
import { databaseOf } from '../rig/file-index.ts';
import { rankingWorld } from './ranking-world.ts';

const scratch = mkdtempSync(path.join(tmpdir(), 'nix-run-foreign-derived-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

const pair = generateKeyPairSync('ed25519');
const sign = (text: string) =>
  `team-1:${signBytes(null, Buffer.from(text), pair.privateKey).toString('base64')}`;
const verify: Verify = (text, signatures) => {
  const isBy = (each: string) =>
    verifyBytes(null, Buffer.from(text), pair.publicKey, Buffer.from(each.replace(/^team-1:/, ''), 'base64'));
  return signatures.some(isBy) ? { kind: 'accepted' } : { kind: 'refused', why: 'no trusted key signed it' };
};
const accept: Verify = () => ({ kind: 'accepted' });

let serial = 0;
function freshPlace(): CataloguePlace {
  serial += 1;
  const directory = path.join(scratch, String(serial));
  mkdirSync(directory);
  return {
    file: path.join(directory, 'side.sqlite'),
    lock: path.join(directory, 'lock'),
    storeDir: '/nix/store',
  };
}

const read = (place: CataloguePlace, file: string, by: Verify = accept): Promise<SourceState> =>
  readSource(place, file, { progress: () => {}, verify: by });

function everything(place: CataloguePlace): PackageObjects[] {
  const catalogue = openSideCatalogue(place.file, place.storeDir);
  assert.ok(catalogue);
  try {
    return [...catalogue.packages()].map(({ object, files }) => {
      const { name, attr, output, toplevel, system } = object;
      return { object: { name, attr, output, toplevel, system }, files };
    });
  } finally {
    catalogue.close();
  }
}

function exportTo(place: CataloguePlace, file: string, by: Sign | undefined): string {
  const exported = exportIndex(place, by);
  if (exported.kind === 'exported') writeFileSync(file, exported.content);
  return exported.kind;
}

const first = freshPlace();
const database = path.join(scratch, 'files');
writeFileSync(database, databaseOf(rankingWorld().packages));
await read(first, database);
const exported = path.join(scratch, 'exported');

test('what is exported is what is read again', async () => {
  assert.equal(exportTo(first, exported, sign), 'exported');
  const second = freshPlace();
  const state = await read(second, exported, verify);
  assert.ok(state.kind === 'read' && state.source.refusal === undefined, JSON.stringify(state));
  assert.equal(state.source.kind, 'derived');
  assert.deepEqual(everything(second), everything(first));
  assert.ok(everything(first).length > 80);
  assert.equal((await read(second, exported, verify)).kind, 'current');
  const bytes = readFileSync(exported);
  exportTo(second, exported, sign);
  assert.deepEqual(readFileSync(exported), bytes, 'the same index is the same file');
  assert.equal(catalogueStatus(second).sources.length, 1);
});

test('an empty catalogue is not exported', () => {
  assert.deepEqual(exportIndex(freshPlace(), sign), { kind: 'empty' });
});

function refusalOf(state: SourceState): string {
  return String(JSON.stringify('source' in state ? state.source.refusal : state));
}

test('unsigned, signed by another, altered in head or body: nothing is taken', async () => {
  exportTo(first, exported, sign);
  const good = readFileSync(exported);
  const text = good.toString('latin1');
  const lines = (change: (all: string[]) => void): Buffer => {
    const end = text.indexOf('\n\n');
    const all = text.slice(0, end).split('\n');
    change(all);
    return Buffer.concat([Buffer.from(`${all.join('\n')}\n\n`, 'latin1'), good.subarray(end + 2)]);
  };
  const flipped = Buffer.from(good);
  flipped[good.length - 100] = (flipped[good.length - 100] as number) ^ 1;
  const cases: [string, Buffer, RegExp][] = [
    ['unsigned', lines((all) => all.pop()), /untrusted.*no trusted key/],
    [
      'another signature',
      lines((all) => all.splice(2, 1, `team-1:${Buffer.alloc(64).toString('base64')}`)),
      /untrusted/,
    ],
    [
      'another store',
      lines((all) => all.splice(1, 1, (all[1] ?? '').replace('/nix/store', '/nix/other'))),
      /untrusted/,
    ],
    [
      'another hash',
      lines((all) => all.splice(1, 1, (all[1] ?? '').replace(/[0-9a-f]{64}/, '0'.repeat(64)))),
      /untrusted/,
    ],
    ['no head', lines((all) => all.splice(1, 1, '{}')), /first lines/],
    ['version 2', Buffer.from(text.replace('index 1\n', 'index 2\n'), 'latin1'), /unknown-version/],
    ['altered', flipped, /another hash/],
    ['cut', good.subarray(0, good.length - 10), /another hash/],
    ['head only', good.subarray(0, 60), /first lines/],
  ];
  for (const [what, bytes, expected] of cases) {
    const file = path.join(scratch, 'bad');
    writeFileSync(file, bytes);
    const place = freshPlace();
    const state = await read(place, file, verify);
    assert.match(refusalOf(state), expected, what);
    assert.deepEqual(everything(place), [], what);
  }
});

test('a signed file that is hostile all the same', { timeout: 60_000 }, async () => {
  const { createHash } = await import('node:crypto');
  const fileOf = (payload: Buffer, storeDir = '/nix/store'): Buffer => {
    const sha256 = createHash('sha256').update(payload).digest('hex');
    return Buffer.concat([
      Buffer.from(`nix-run-foreign file index 1\n${JSON.stringify({ sha256, storeDir })}\n\n`),
      payload,
    ]);
  };
  const packed = (text: string | Buffer) => zstdCompressSync(text);
  const object = `o\t${'a'.repeat(32)}-x-1\tx\tout\tt\tx86_64-linux`;
  const cases: [string, Buffer, RegExp | undefined][] = [
    ['no zstd', fileOf(Buffer.from('hello')), /something else/],
    ['control characters', fileOf(packed(`${object}\nx\tlib\u001b[2J.so\tlib\t9\n`)), /no text/],
    ['without an end', fileOf(packed(`${object}\nx\tlibx.so\tlib\t9`)), /within a line/],
    ['a long line', fileOf(packed(Buffer.alloc(1 << 20, 'x'))), /too long/],
    ['a bomb', fileOf(packed(Buffer.alloc(1 << 28, 'x'))), /too long/],
    [
      'many files',
      fileOf(packed(`${object}\n${'x\tlibx.so\tlib\t9\n'.repeat(2_200_000)}`)),
      /more shared objects/,
    ],
    ['a bad object', fileOf(packed(`o\t../../etc\tx\tout\tt\t\nx\tlibx.so\tlib\t9\n`)), undefined],
    [
      'a derivation',
      fileOf(packed(`o\t${'a'.repeat(32)}-x.drv\tx\tout\tt\t\nx\tlibx.so\tlib\t9\n`)),
      undefined,
    ],
    ['a path', fileOf(packed(`${object}\nx\tlibx.so\t../../etc\t9\n`)), undefined],
    ['a letter', fileOf(packed(`${object}\nd\tlibx.so\tlib\t9\n`)), undefined],
    ['files of nothing', fileOf(packed('x\tlibx.so\tlib\t9\n')), undefined],
    ['another store', fileOf(packed(`${object}\nx\tlibx.so\tlib\t9\n`), '/gnu/store'), undefined],
  ];
  for (const [what, bytes, expected] of cases) {
    const file = path.join(scratch, 'hostile');
    writeFileSync(file, bytes);
    const place = freshPlace();
    const began = process.cpuUsage();
    const state = await read(place, file);
    if (expected === undefined) assert.equal(refusalOf(state), 'undefined', what);
    else assert.match(refusalOf(state), expected, what);
    assert.deepEqual(everything(place), [], what);
    const { user, system } = process.cpuUsage(began);
    assert.ok(user + system < 15e6, what);
  }
});

test('the file is small, and its text cannot be taken for a fingerprint', () => {
  const bytes = derivedFile('/nix/store', everything(first), (text) => {
    assert.ok(text.startsWith('nix-run-foreign file index\n{'), text);
    return 'x:y';
  });
  const files = everything(first).reduce((sum, each) => sum + each.files.length, 0);
  assert.ok(bytes.length < 12 * files, `${bytes.length} bytes for ${files} files`);
});

test('with other keys it is looked at again: one that was refused serves, and one that served does not', async () => {
  const file = path.join(scratch, 'with-keys');
  assert.equal(exportTo(first, file, undefined), 'exported');
  const place = freshPlace();
  const refuse: Verify = () => ({ kind: 'refused', why: 'no trusted key' });
  const readBy = async (verify: Verify, trust: string) => {
    const state = await readSource(place, file, { progress: () => {}, verify, trust });
    assert.ok('source' in state, state.kind);
    return state.source.refusal?.kind;
  };
  assert.equal(await readBy(refuse, 'none'), 'untrusted');
  assert.equal(await readBy(() => ({ kind: 'accepted' }), 'one'), undefined);
  assert.equal(await readBy(refuse, 'none'), 'untrusted');
});
