// A database of so many entries → how long the first reading takes beside plain decompression, and each question afterwards.
import { closeSync, mkdtempSync, openSync, readFileSync, readSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { createZstdDecompress } from 'node:zlib';
import { execa } from 'execa';
import { readSource } from '../../src/index/read-source.ts';
import { openSideCatalogue } from '../../src/index/side-catalogue.ts';
import { writeLargeIndex } from '../rig/large-index.ts';

/** In CI; by hand `node test/bench/index.ts 16000000 22` (number, level of zstd), or with the file of a database. */
const ENTRIES = 200_000;

/** Every entry looked at, over plain decompression in the same Node; the inserts are left out. */
const LIMIT_RATIO = 1.6;
/** Milliseconds of decompression below which a ratio says nothing. */
const SMALL_MS = 100;
const LIMIT_ENTRY_US = 1.5;
const LIMIT_MEMORY = 400e6;
const LIMIT_FORTY_MS = 15;
const LIMIT_ONE_MS = 3;

/** Milliseconds. */
interface Cost {
  readonly wall: number;
  /** Of all threads. */
  readonly cpu: number;
  /** What two processors with nothing else to do would take: the longer of our thread and those that unpack. */
  readonly quiet: number;
}

async function costOf(work: () => Promise<void>): Promise<Cost> {
  const [began, before, thread] = [performance.now(), process.cpuUsage(), process.threadCpuUsage()];
  await work();
  const sum = ({ user, system }: NodeJS.CpuUsage) => (user + system) / 1000;
  const [cpu, ours] = [sum(process.cpuUsage(before)), sum(process.threadCpuUsage(thread))];
  return { wall: performance.now() - began, cpu, quiet: Math.max(ours, cpu - ours) };
}

function* piecesOf(file: string): Generator<Buffer> {
  const fd = openSync(file, 'r');
  try {
    for (let at = 12; ; ) {
      const piece = Buffer.allocUnsafe(1 << 18);
      const count = readSync(fd, piece, 0, piece.length, at);
      if (count === 0) return;
      yield piece.subarray(0, count);
      at += count;
    }
  } finally {
    closeSync(fd);
  }
}

/** The first frame only, as Node decodes no more: a database of version 1 has one. */
async function decompress(file: string): Promise<void> {
  const packed = Readable.from(piecesOf(file), { objectMode: false });
  const decoder = createZstdDecompress({ chunkSize: 1 << 18 });
  decoder.on('error', () => {});
  for await (const piece of packed.pipe(decoder) as AsyncIterable<Buffer>) void piece;
}

async function readOnly(file: string): Promise<void> {
  const { readDatabase } = await import('../../src/index/read-database.ts');
  const fd = openSync(file, 'r');
  const read = await readDatabase(fd, { storeDir: '/nix/store', give: () => {}, progress: () => {} });
  closeSync(fd);
  if (read.kind !== 'read') throw new Error(JSON.stringify(read));
}

async function readInto(directory: string, file: string): Promise<void> {
  const place = {
    file: path.join(directory, 'side.sqlite'),
    lock: path.join(directory, 'lock'),
    storeDir: '/nix/store',
  };
  const state = await readSource(place, file, { progress: () => {}, verify: () => ({ kind: 'accepted' }) });
  if (state.kind !== 'read' || state.source.refusal !== undefined) throw new Error(JSON.stringify(state));
  process.stdout.write(
    `  ${state.source.entries} entries, ${state.source.files} shared objects, catalogue ${statSync(place.file).size} bytes\n`,
  );
}

/** One kind of work in a process of its own, as a first start has it. */
async function inProcess(words: readonly string[]): Promise<{ cost: Cost; memory: number }> {
  const args = ['--disable-warning=ExperimentalWarning', import.meta.filename, ...words];
  const { stdout } = await execa(process.execPath, args);
  const lines = stdout.split('\n');
  if (lines.length > 1) process.stdout.write(`${lines.slice(0, -1).join('\n')}\n`);
  return JSON.parse(lines.at(-1) ?? '');
}

async function best(times: number, words: readonly string[]): Promise<{ cost: Cost; memory: number }> {
  const runs = [];
  for (let i = 0; i < times; i += 1) runs.push(await inProcess(words));
  return runs.sort((a, b) => a.cost.quiet - b.cost.quiet)[0] as (typeof runs)[number];
}

/** Milliseconds to open the catalogue and look names up in it; of 25 the third fastest, for whatever else runs only makes one slower. */
function timeQueries(file: string, names: readonly string[]): number {
  const times = Array.from({ length: 25 }, () => {
    const began = performance.now();
    const catalogue = openSideCatalogue(file, '/nix/store');
    if (catalogue === undefined) throw new Error('no catalogue');
    for (const name of names) catalogue.filesNamed(name);
    catalogue.close();
    return performance.now() - began;
  });
  return times.sort((a, b) => a - b)[2] as number;
}

function verdict(what: string, value: number, limit: number): boolean {
  const met = value <= limit;
  process.stdout.write(
    `  ${what.padEnd(60)} ${value.toFixed(2)}, at most ${limit}: ${met ? 'met' : 'MISSED'}\n`,
  );
  return met;
}

function line(what: string, { cost, memory }: { cost: Cost; memory: number }): void {
  const column = (each: number) => `${each.toFixed(0)} ms`.padStart(9);
  const times = `${column(cost.quiet)} at best ${column(cost.wall)} waited ${column(cost.cpu)} of processors`;
  process.stdout.write(`  ${times} ${(memory / 1e6).toFixed(0).padStart(5)} MB  ${what}\n`);
}

/** Of a small database most of the time is that of a start: what an entry may take is then all that can be said. */
function speedVerdict(plain: number, read: number, entries: number): boolean {
  if (plain >= SMALL_MS)
    return verdict('every entry looked at, over plain decompression', read / plain, LIMIT_RATIO);
  return verdict('an entry, microseconds', (1000 * read) / entries, LIMIT_ENTRY_US);
}

function sonamesIn(file: string): string[] {
  const catalogue = openSideCatalogue(file, '/nix/store');
  const names = catalogue?.namesBeginning('lib', 200_000).filter((name) => /\.so\.\d+$/.test(name)) ?? [];
  catalogue?.close();
  const step = Math.max(1, Math.floor(names.length / 40));
  return names.filter((_, i) => i % step === 0).slice(0, 40);
}

/** Quick to write; nix-index takes 22, which takes minutes for as many entries as nixpkgs has. */
const LEVEL = 3;

/** Prints the table. False if a limit was missed. `what`: a number of entries, or a file. */
export async function benchIndex(what: string | number = ENTRIES, level = LEVEL): Promise<boolean> {
  const directory = mkdtempSync(path.join(tmpdir(), 'nix-run-foreign-bench-index-'));
  try {
    const file = typeof what === 'string' ? what : path.join(directory, 'files');
    if (typeof what === 'number') writeLargeIndex(file, what, { level });
    process.stdout.write(`\nfile index, ${statSync(file).size} bytes\n`);
    const plain = await best(3, ['decompress', file]);
    const read = await best(3, ['read', file]);
    const whole = await inProcess(['catalogue', file, directory]);
    line('plain decompression in Node', plain);
    line('every entry looked at', read);
    line('first reading, with the catalogue', whole);
    const side = path.join(directory, 'side.sqlite');
    const names = sonamesIn(side);
    return [
      speedVerdict(plain.cost.quiet, read.cost.quiet, typeof what === 'number' ? what : 0),
      verdict('memory of the first reading, MB', whole.memory / 1e6, LIMIT_MEMORY / 1e6),
      verdict(`${names.length} names, ms`, timeQueries(side, names), LIMIT_FORTY_MS),
      verdict('one name, ms', timeQueries(side, names.slice(0, 1)), LIMIT_ONE_MS),
    ].every(Boolean);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Bytes; that of getrusage(2) would be the parent's where that had more. */
function mostMemory(): number {
  return 1024 * Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1]);
}

const WORK: Readonly<Record<string, (file: string, directory: string) => Promise<void>>> = {
  decompress,
  read: readOnly,
  catalogue: (file, directory) => readInto(directory, file),
};

if (import.meta.main) {
  const [first = String(ENTRIES), file = '', directory = ''] = process.argv.slice(2);
  const work = WORK[first];
  if (work === undefined)
    process.exitCode = (await benchIndex(/^\d+$/.test(first) ? Number(first) : first, Number(file || LEVEL)))
      ? 0
      : 1;
  else {
    const cost = await costOf(() => work(file, directory));
    process.stdout.write(JSON.stringify({ cost, memory: mostMemory() }));
  }
}
