// The audit module, a program, libraries and a stand-in for the resolver → starts of the program by each real glibc.
import { execFile, execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after } from 'node:test';
import { buildAudit } from '../../scripts/build-audit.ts';
import { AUDIT_MODULE, makeRunTimeDirectory, type RunTimeSettings } from '../../src/plan/run-time-files.ts';
import { ANY_MACHINE, nameTableBytes } from '../../src/store/name-table.ts';
import { writeSonameTable } from '../../src/store/soname-table.ts';
import { openNamespace } from '../rig/namespace.ts';
import { ensureRig } from '../rig/rig.ts';

export const X86_64 = 62;
export const CATALOGUE = 7n;

const directory = mkdtempSync(path.join(tmpdir(), 'audit-test-'));
chmodSync(directory, 0o755);

const rig = await ensureRig('full');
// Their loaders search their own directories, which are there only where /nix is the rig's.
const namespace = await openNamespace(rig.nixDir, path.join(directory, 'nix'));
after(async () => {
  await namespace.close();
  rmSync(directory, { recursive: true, force: true });
});

export interface Glibc {
  readonly version: string;
  /** As it is in the namespace. */
  readonly loader: string;
}

/** The rig's glibcs for a machine, oldest first; their libraries lie beside the loader. */
export function rigGlibcs(architecture = 'amd64'): readonly Glibc[] {
  const loaders = new Set(
    rig.foreign.filter((each) => each.architecture === architecture).map(({ loader }) => loader),
  );
  return [...loaders]
    .map((loader) => ({ version: /glibc-([\d.]+)/.exec(loader)?.[1] ?? '', loader }))
    .sort((a, b) => Number(a.version) - Number(b.version));
}

export function scratch(name: string): string {
  return path.join(directory, name);
}

export async function buildModule(name: string, cc = 'gcc', flags: readonly string[] = []): Promise<string> {
  await buildAudit({ output: scratch(name), cc, flags });
  return scratch(name);
}

/** A program that the oldest of the glibcs can start, and so each. */
export function compileProgram(name: string, oldest: Glibc, machineFlags: readonly string[] = []): string {
  const libc = path.join(rig.nixDir, path.dirname(oldest.loader).slice('/nix'.length));
  const libraries = ['libc.so.6', 'libdl.so.2', 'libpthread.so.0'].map((each) => path.join(libc, each));
  const source = path.join(import.meta.dirname, 'programs', `${name}.c`);
  const flags = ['-O1', '-Wall', '-Wextra', '-Werror', '-nodefaultlibs', '-Wl,--no-as-needed'];
  const output = scratch(`${name}${machineFlags[0] ?? ''}`);
  execFileSync('gcc', [
    ...machineFlags,
    ...flags,
    '-o',
    output,
    source,
    ...libraries,
    '-lgcc',
    '-Wl,--allow-shlib-undefined',
  ]);
  return output;
}

/** A library in a directory that no loader searches. Needs nothing but what `flags` name. */
export function compileLibrary(name: string, text: string, flags: readonly string[] = []): string {
  const output = scratch(path.join('away', name));
  mkdirSync(path.dirname(output), { recursive: true });
  const source = `${output}.c`;
  writeFileSync(source, text);
  const shared = ['-shared', '-fPIC', '-O1', '-nostdlib', `-Wl,-soname,${path.basename(name)}`];
  execFileSync('gcc', [...shared, '-o', output, source, ...flags]);
  return output;
}

export interface Place {
  readonly directory: string;
  /** Appended to by the stand-in for the resolver: its words, one line a run. */
  readonly log: string;
}

let places = 0;

export interface PlaceContent {
  /** Names in the soname table. */
  readonly names?: readonly string[];
  /** Answers that are there from the start. */
  readonly answers?: Readonly<Record<string, string>>;
  /** Answers that the resolver leaves. */
  readonly found?: Readonly<Record<string, string>>;
  /** What else the resolver does, as shell text before it answers. */
  readonly script?: string;
  readonly settings?: Partial<RunTimeSettings>;
}

export function writeAnswers(file: string, answers: Readonly<Record<string, string>>, catalogue = CATALOGUE) {
  const entries = new Map(Object.entries(answers));
  writeFileSync(file, nameTableBytes(entries.keys(), entries, { machine: ANY_MACHINE, catalogue }));
  chmodSync(file, 0o644);
}

/** A run-time directory as a resolution would make it, with a shell script in the resolver's place. */
export function makePlace(module: string, content: PlaceContent): Place {
  places += 1;
  const { names = [], answers, found = {}, script = '', settings = {} } = content;
  const place = scratch(`place-${places}`);
  const [table, log, resolver] = ['sonames', 'log', 'resolver'].map((name) => path.join(place, name)) as [
    string,
    string,
    string,
  ];
  const all: RunTimeSettings = {
    sonameTable: table,
    resolver: {
      file: resolver,
      argv: [{ text: resolver }, { text: 'extend' }, 'name', 'requester', 'process'],
    },
    defaultDirectories: [],
    environment: {},
    ...settings,
  };
  makeRunTimeDirectory(place, module, all, 2);
  for (const name of ['.', 'settings', 'learned'])
    chmodSync(path.join(place, name), name === '.' ? 0o755 : 0o644);
  writeSonameTable(table, names, { machine: X86_64, catalogue: CATALOGUE });
  chmodSync(table, 0o644);
  writeFileSync(log, '');
  chmodSync(log, 0o666);
  if (answers !== undefined) writeAnswers(path.join(place, 'answers'), answers);
  writeAnswers(path.join(place, 'next'), { ...answers, ...found });
  const text = `#!/bin/sh\necho "$*" >> ${log}\n${script}\ncp ${place}/next ${place}/.new && mv ${place}/.new ${place}/answers\n`;
  writeFileSync(resolver, text, { mode: 0o755 });
  return { directory: place, log };
}

export function runsOf({ log }: Place): readonly string[] {
  return readFileSync(log, 'utf8').split('\n').slice(0, -1);
}

export interface Outcome {
  readonly status: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The words that start a program as the strategy `loader` does. */
export function loaderWords(glibc: Glibc, place: Place | undefined, argv0?: string): string[] {
  const audit = place === undefined ? [] : ['--audit', path.join(place.directory, AUDIT_MODULE)];
  const named = argv0 === undefined ? [] : ['--argv0', argv0];
  return ['--inhibit-cache', ...named, ...audit, '--library-path', path.dirname(glibc.loader)];
}

/** Runs a command in the namespace. */
export function runWords(words: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Outcome> {
  const [enter, ...rest] = namespace.enter;
  const options = { env: { PATH: '/usr/bin:/bin', ...env }, timeout: 60_000 };
  return new Promise((resolve) => {
    const child = execFile(enter, [...rest, ...words], options, (_, stdout, stderr) =>
      resolve({ status: child.exitCode, signal: child.signalCode, stdout, stderr }),
    );
  });
}

/** Starts the program by a glibc's loader, with the module unless there is no place. */
export function startBy(
  glibc: Glibc,
  place: Place | undefined,
  command: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<Outcome> {
  return runWords([glibc.loader, ...loaderWords(glibc, place), ...command], env);
}
