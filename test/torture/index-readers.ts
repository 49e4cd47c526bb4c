// What indexes and caches of others hold → what is read of it: zstd frames, front-coded paths, listings, name tables.
import { closeSync, ftruncateSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { brotliCompressSync } from 'node:zlib';
import { readListing, readNarInfo } from '../../src/index/cache-listing.ts';
import { frcodeDecoder } from '../../src/index/frcode.ts';
import { collectPackages } from '../../src/index/package-objects.ts';
import { readDatabase } from '../../src/index/read-database.ts';
import { nameTableBytes, readNameTable } from '../../src/store/name-table.ts';
import { databaseOf, hashOf, type IndexedPackage, packageBytes, treeOf } from '../rig/file-index.ts';
import type { Reader } from './readers.ts';

const packages = Array.from(
  { length: 6 },
  (_, i): IndexedPackage => ({
    hash: hashOf(i + 1),
    name: `libn${i}-1.${i}`,
    attr: `libn${i}`,
    tree: treeOf({
      [`lib/libn${i}.so.1.2`]: 20_000 + i,
      [`lib/libn${i}.so.1`]: `-> libn${i}.so.1.2`,
      'share/doc/README': 5,
    }),
  }),
);

let file: { readonly fd: number; readonly directory: string } | undefined;

/** One file for all inputs; it goes with the process. */
function scratchFile(): number {
  if (file === undefined) {
    const directory = mkdtempSync(path.join(tmpdir(), 'torture-index-'));
    file = { fd: openSync(path.join(directory, 'files'), 'w+'), directory };
    process.once('exit', () => {
      if (file !== undefined) closeSync(file.fd);
      rmSync(directory, { recursive: true, force: true });
    });
  }
  return file.fd;
}

async function readPacked(bytes: Buffer): Promise<unknown> {
  const fd = scratchFile();
  ftruncateSync(fd, 0);
  writeSync(fd, bytes, 0, bytes.length, 0);
  return readDatabase(fd, { storeDir: '/nix/store', give: () => {}, progress: () => {} });
}

/** The stream as it comes out of zstd, in two pieces. */
function readStream(bytes: Buffer): unknown {
  const collector = collectPackages('/nix/store', ({ object }) => {
    if (/[^ -~]/.test(object.name)) throw new Error(`must not give ${JSON.stringify(object.name)}`);
  });
  const decoder = frcodeDecoder(collector.entry, bytes.length % 2 === 0 ? 'libraries' : 'every');
  const middle = bytes.length >> 1;
  return (
    decoder.feed(bytes.subarray(0, middle)) ??
    decoder.feed(bytes.subarray(middle)) ??
    decoder.end() ??
    collector.end()
  );
}

const LISTING = JSON.stringify({
  version: 1,
  root: {
    type: 'directory',
    entries: {
      lib: {
        type: 'directory',
        entries: {
          'libz.so.1': { type: 'symlink', target: 'libz.so.1.3' },
          'libz.so.1.3': { type: 'regular', size: 123_456, executable: true, narOffset: 400 },
        },
      },
    },
  },
});

const NARINFO = `StorePath: /nix/store/${hashOf(1)}-zlib-1.3
URL: nar/1x.nar.xz
Compression: xz
NarHash: sha256:${'0'.repeat(52)}
NarSize: 126520
References: ${hashOf(2)}-glibc-2.40 ${hashOf(1)}-zlib-1.3
Sig: cache.example-1:AAAA
`;

const names = Array.from({ length: 40 }, (_, i) => `libname-${i}.so`);
const table = () =>
  nameTableBytes(names, new Map(names.map((name) => [name, `/x/${name}`])), { machine: 0, catalogue: 7n });

export const INDEX_READERS: readonly Reader[] = [
  {
    name: 'index packed by zstd',
    form: 'bytes',
    seeds: () => [databaseOf(packages, 1), databaseOf(packages, 2, 3)],
    read: readPacked,
  },
  {
    name: 'index unpacked to frcode',
    form: 'bytes',
    seeds: () => [
      Buffer.concat(packages.map((each) => packageBytes(each))),
      packageBytes(packages[0] as IndexedPackage),
    ],
    read: readStream,
  },
  { name: 'listings of a cache', form: 'json', seeds: () => [LISTING], read: (bytes) => readListing(bytes) },
  {
    name: 'listings packed by brotli',
    form: 'bytes',
    seeds: () => [brotliCompressSync(LISTING)],
    read: (bytes) => readListing(bytes),
  },
  { name: 'narinfo', form: 'lines', seeds: () => [NARINFO], read: (bytes) => readNarInfo(bytes.toString()) },
  { name: 'name tables', form: 'bytes', seeds: () => [table()], read: (bytes) => readNameTable(bytes) },
];
