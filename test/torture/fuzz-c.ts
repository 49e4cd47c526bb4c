// The C sources that read what others may have written → programs of libFuzzer, and what they found in a given time.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { needTool } from '../launcher/tool-fixture.ts';
import { C_TARGETS, type CTarget, writeSeeds } from './c-seeds.ts';
import type { Effort, Finding, Part, Result } from './results.ts';

const PROJECT = path.resolve(import.meta.dirname, '../..');
const HARNESSES = path.join(import.meta.dirname, 'c');
const FOUND = path.join(import.meta.dirname, 'found');
/** They are part of hosted.c, or have a stand-in there, or take the process over. */
const REPLACED = new Set(['start.c', 'freestanding.c', 'messages.c', 'trusted-files.c']);
const OF_MODULE = ['name-table', 'words', 'own-file', 'run-time-settings', 'seccomp-filter'];

/** For every single input: seconds, megabytes in all and in one piece. */
export const C_BOUNDS = { seconds: 5, memory: 1024, piece: 64 } as const;

const FLAGS = [
  '-g',
  '-O1',
  '-std=gnu11',
  '-fno-builtin',
  '-w',
  '-fsanitize=address,undefined',
  '-fno-sanitize-recover=all',
  ...['launcher', 'audit'].map((name) => `-I${path.join(PROJECT, name)}`),
  `-I${HARNESSES}`,
  ...['LAUNCHER_VERSION', 'RESOLVER_NODE', 'RESOLVER_SCRIPT'].map((name) => `-D${name}="/none"`),
];

const run = promisify(execFile);

async function clang(words: readonly string[]): Promise<string> {
  return (await run('clang', words, { maxBuffer: 1 << 26 })).stdout.trim();
}

/** Clang, and libFuzzer of the same version. */
async function needFuzzer(): Promise<void> {
  needTool('clang', 'clang');
  const directory = await clang(['-print-resource-dir']);
  const version = /\/(\d+)(?:\.[\d.]+)?$/.exec(directory)?.[1] ?? '';
  needTool(path.join(directory, 'lib/linux/libclang_rt.fuzzer-x86_64.a'), `libclang-rt-${version}-dev`);
}

function sources(): string[] {
  const launcher = globSync(path.join(PROJECT, 'launcher/*.c')).filter(
    (file) => !REPLACED.has(path.basename(file)),
  );
  return [
    ...launcher.sort(),
    ...OF_MODULE.map((name) => path.join(PROJECT, 'audit', `${name}.c`)),
    path.join(HARNESSES, 'hosted.c'),
  ];
}

function hashOfSources(): string {
  const files = ['launcher/*', 'audit/*', 'test/torture/c/*'].flatMap((pattern) =>
    globSync(path.join(PROJECT, pattern)),
  );
  const hash = createHash('sha256').update(FLAGS.join(' '));
  for (const file of files.sort()) hash.update(readFileSync(file));
  return hash.digest('hex').slice(0, 16);
}

/** A harness that includes a source has its symbols, so that the archive's object of it is not linked. */
async function buildAll(directory: string): Promise<void> {
  const objectOf = (source: string) => path.join(directory, `${path.basename(source, '.c')}.o`);
  const compile = (source: string) =>
    clang([...FLAGS, '-fsanitize=fuzzer-no-link', '-c', '-o', objectOf(source), source]);
  const all = sources();
  await inPairs(all, compile);
  await run('ar', ['rcs', path.join(directory, 'all.a'), ...all.map(objectOf)]);
  await inPairs(C_TARGETS, ({ name }) =>
    clang([
      ...FLAGS,
      '-fsanitize=fuzzer',
      '-o',
      path.join(directory, name),
      path.join(HARNESSES, `fuzz-${name}.c`),
      path.join(directory, 'all.a'),
    ]),
  );
}

async function inPairs<T>(all: readonly T[], work: (one: T) => Promise<unknown>): Promise<void> {
  const waiting = [...all];
  const worker = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await work(next);
  };
  await Promise.all([worker(), worker()]);
}

/** The directory of the fuzzers of these very sources, built when they changed. */
export async function builtFuzzers(): Promise<string> {
  await needFuzzer();
  const cache = path.join(homedir(), '.cache/nix-run-foreign-torture');
  const directory = path.join(cache, hashOfSources());
  if (existsSync(directory)) return directory;
  mkdirSync(cache, { recursive: true });
  for (const old of readdirSync(cache)) rmSync(path.join(cache, old), { recursive: true });
  const made = mkdtempSync(path.join(cache, 'building-'));
  await buildAll(made);
  renameSync(made, directory);
  return directory;
}

interface Ended {
  readonly status: number;
  readonly stderr: string;
}

function runFuzzer(program: string, words: readonly string[], patience: number): Promise<Ended> {
  const options = { timeout: Math.ceil(patience * 1000), killSignal: 'SIGKILL', maxBuffer: 1 << 28 } as const;
  return new Promise((resolve) => {
    const child = execFile(program, words, options, (_, __, stderr) =>
      resolve({ status: child.exitCode ?? 128, stderr }),
    );
  });
}

/** The smallest input with the same end, kept among the inputs that every later run begins with. */
async function minimised(program: string, target: CTarget, artifact: string): Promise<string> {
  const output = `${artifact}.small`;
  await runFuzzer(
    program,
    ['-minimize_crash=1', '-runs=20000', `-exact_artifact_path=${output}`, artifact],
    60,
  );
  const smallest = existsSync(output) ? output : artifact;
  const name = createHash('sha256').update(readFileSync(smallest)).digest('hex').slice(0, 12);
  const saved = path.join(FOUND, target.name, name);
  mkdirSync(path.dirname(saved), { recursive: true });
  renameSync(smallest, saved);
  return path.relative(PROJECT, saved);
}

async function findingsOf(
  program: string,
  target: CTarget,
  ended: Ended,
  scratch: string,
): Promise<Finding[]> {
  if (ended.status === 0) return [];
  const artifact = readdirSync(scratch).find((name) => /^(?:crash|timeout|oom|leak)-/.test(name));
  const what = /^SUMMARY: .*|^==\d+== ?ERROR: .*/m.exec(ended.stderr)?.[0] ?? `status ${ended.status}`;
  if (artifact === undefined) return [{ what, again: ended.stderr.split('\n').at(-2) ?? '' }];
  return [{ what, again: await minimised(program, target, path.join(scratch, artifact)) }];
}

function figuresOf(stderr: string): string {
  const of = (name: string) => new RegExp(`stat::${name}: *(\\d+)`).exec(stderr)?.[1] ?? '?';
  const covered = [...stderr.matchAll(/ cov: (\d+) /g)].at(-1)?.[1] ?? '?';
  return `${covered} places reached, slowest ${of('slowest_unit_time_sec')} s, peak ${of('peak_rss_mb')} MB`;
}

async function fuzz(directory: string, target: CTarget, { seed, seconds, inputs }: Effort): Promise<Result> {
  const scratch = mkdtempSync(path.join(tmpdir(), 'torture-c-'));
  const corpora = ['corpus', 'seeds'].map((name) => path.join(scratch, name));
  for (const corpus of corpora) mkdirSync(corpus);
  writeSeeds(target, corpora[1] as string);
  const found = path.join(FOUND, target.name);
  const program = path.join(directory, target.name);
  const begin = performance.now();
  const words = [
    `-seed=${seed}`,
    `-max_total_time=${Math.ceil(seconds)}`,
    ...(Number.isFinite(inputs) ? [`-runs=${inputs}`] : []),
    `-timeout=${C_BOUNDS.seconds}`,
    `-rss_limit_mb=${C_BOUNDS.memory}`,
    `-malloc_limit_mb=${C_BOUNDS.piece}`,
    `-max_len=${target.longest}`,
    '-print_final_stats=1',
    `-artifact_prefix=${scratch}/`,
    ...corpora,
    ...(existsSync(found) ? [found] : []),
  ];
  const ended = await runFuzzer(program, words, seconds + 60);
  const findings = await findingsOf(program, target, ended, scratch);
  rmSync(scratch, { recursive: true });
  return {
    part: 'C readers',
    target: target.reads,
    tried: Number(/stat::number_of_executed_units: *(\d+)/.exec(ended.stderr)?.[1] ?? 0),
    seconds: (performance.now() - begin) / 1000,
    figures: figuresOf(ended.stderr),
    findings,
  };
}

export const cReaders: Part = {
  name: 'c',
  what: 'what in C reads bytes that others may have written, by libFuzzer',
  targets: C_TARGETS.map(({ name }) => name),
  run: async (name, effort) => {
    const target = C_TARGETS.find((each) => each.name === name) as CTarget;
    return fuzz(await builtFuzzers(), target, effort);
  },
};
