// A program of 400 MB and one of 3 GiB with holes → how long `nix-foreign patch` and `unpatch` take, and their memory.
import { execFileSync } from 'node:child_process';
import { appendFileSync, chownSync, mkdirSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Rig } from '../rig/rig.ts';
import { type BenchRoot, openBenchRoot, PROGRAMS, RESOLVER } from './bench-root.ts';

const MEMORY = 200;

interface Large {
  readonly label: string;
  /** Seconds. */
  readonly limit: number;
  make(file: string): void;
}

/** Constants that no file system makes small. */
function makeDense(file: string): void {
  const data = `${file}.data`;
  execFileSync('sh', ['-c', 'head -c 400000000 /dev/urandom > "$1"', 'sh', data]);
  const source = `__asm__(".section .rodata\\n.incbin \\"${data}\\"\\n");\nint main(void) { return 0; }\n`;
  writeFileSync(`${file}.c`, source);
  execFileSync('cc', ['-o', file, `${file}.c`]);
}

function makeSmall(file: string): void {
  writeFileSync(`${file}.c`, 'int main(void) { return 0; }\n');
  execFileSync('cc', ['-o', file, `${file}.c`]);
}

function makeSparse(file: string): void {
  makeSmall(file);
  truncateSync(file, 3 * 2 ** 30);
  appendFileSync(file, 'the end of what is appended');
}

const cases: readonly Large[] = [
  { label: '400 MB', limit: 15, make: makeDense },
  { label: '3 GiB with holes', limit: 3, make: makeSparse },
];

interface Used {
  readonly seconds: number;
  readonly megabytes: number;
  /** Seconds of its own, which others on the machine do not lengthen. */
  readonly processor: number;
}

async function timed({ root }: BenchRoot, rig: Rig, words: readonly string[]): Promise<Used> {
  const start = performance.now();
  const argv = [rig.node, '--require', `${PROGRAMS}/usage.cjs`, RESOLVER, ...words] as const;
  const { status, stderr } = await root.run({ argv, timeoutMs: 600_000, env: { PATH: rig.nixBin } });
  if (status !== 0) throw new Error(stderr);
  const seconds = (performance.now() - start) / 1000;
  const [, kilobytes, user, system] = (/peak (\d+) cpu (\d+) (\d+)$/m.exec(stderr) ?? []).map(Number);
  return {
    seconds,
    megabytes: (kilobytes ?? Number.NaN) / 1000,
    processor: ((user ?? 0) + (system ?? 0)) / 1e6,
  };
}

/** The limit is for patching; undoing is beside it. */
async function benchOne(bench: BenchRoot, rig: Rig, { label, limit, make }: Large): Promise<boolean> {
  const name = label.replaceAll(' ', '-');
  const directory = path.join(bench.root.homeDir, name);
  mkdirSync(directory);
  const file = path.join(directory, 'tool');
  make(file);
  const before = statSync(file);
  const { uid, gid } = statSync(bench.root.homeDir);
  for (const each of [directory, file]) chownSync(each, uid, gid);
  const patch = await timed(bench, rig, ['patch', '-y', `/home/tester/${name}/tool`]);
  const undo = await timed(bench, rig, ['unpatch', `/home/tester/${name}/tool`]);
  const after = statSync(file);
  const met = patch.seconds <= limit && patch.megabytes <= MEMORY;
  process.stdout.write(`\npatch, ${label}: ${met ? 'met' : 'MISSED'}\n`);
  for (const [what, { seconds, megabytes, processor }] of Object.entries({ patch, unpatch: undo }))
    process.stdout.write(
      `  ${what.padEnd(8)} ${seconds.toFixed(2)} s (${processor.toFixed(2)} s of processor), at most ${limit}; ${megabytes.toFixed(0)} MB, at most ${MEMORY}\n`,
    );
  const blocks = `  ${before.blocks} blocks before, ${after.blocks} after both; ${after.size === before.size ? 'the same size' : 'ANOTHER size'}\n`;
  process.stdout.write(blocks);
  return met && after.size === before.size;
}

export async function benchPatch(rig: Rig): Promise<boolean> {
  const bench = await openBenchRoot(rig, 'none');
  const usage =
    "process.on('exit', () => process.stderr.write('peak ' + process.resourceUsage().maxRSS + ' cpu ' + process.cpuUsage().user + ' ' + process.cpuUsage().system + '\\n'));\n";
  writeFileSync(path.join(bench.programs, 'usage.cjs'), usage);
  try {
    // The store is looked through once, whatever is patched.
    makeSmall(path.join(bench.programs, 'small'));
    await timed(bench, rig, ['patch', '-n', `${PROGRAMS}/small`]);
    const results: boolean[] = [];
    for (const each of cases) results.push(await benchOne(bench, rig, each));
    return results.every(Boolean);
  } finally {
    await bench.close();
  }
}
