// A temporary directory with a built launcher, small programs, a fake resolver and a cache, for one test file.
import { type ChildProcess, execFileSync, type SpawnOptions, spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after } from 'node:test';
import { builtLauncher } from '../built-launcher.ts';
import { planText, putPlan } from './plan-fixture.ts';

const PROGRAMS = path.join(import.meta.dirname, 'programs');

export type Outcome = {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
};

export type Workshop = {
  /** Real path of the temporary directory; removed after the tests of this file. */
  readonly directory: string;
  /** The launcher; its built-in resolver is `/bin/sh <directory>/built-in-resolver`. */
  readonly launcher: string;
  /** XDG_CACHE_HOME of everything that `run` starts. */
  readonly cache: string;
  /** `<cache>/nix-run-foreign`. */
  readonly place: string;
  readonly environment: Record<string, string>;
};

/** Builds the launcher into a new directory. */
export async function openWorkshop(): Promise<Workshop> {
  const directory = realpathSync(mkdtempSync(path.join(os.tmpdir(), 'launcher-')));
  after(() => rmSync(directory, { recursive: true, force: true }));
  chmodSync(directory, 0o755);
  const launcher = path.join(directory, 'nix-run-foreign');
  const script = path.join(directory, 'built-in-resolver');
  await builtLauncher({ output: launcher, node: '/bin/sh', script });
  const cache = path.join(directory, 'cache');
  mkdirSync(cache);
  const resolver = putScript(directory, 'no-resolver', 'echo "resolver called" >&2; exit 77');
  const environment = {
    PATH: '/usr/bin:/bin',
    XDG_CACHE_HOME: cache,
    NIX_RUN_FOREIGN_RESOLVER: resolver,
  };
  return { directory, launcher, cache, place: path.join(cache, 'nix-run-foreign'), environment };
}

/** Compiles programs/NAME.c into the workshop; returns the executable. */
export function compile(workshop: Workshop, name: string, flags: readonly string[] = []): string {
  const output = path.join(workshop.directory, name);
  execFileSync('cc', ['-O1', '-w', ...flags, '-o', output, path.join(PROGRAMS, `${name}.c`)]);
  return output;
}

/** Writes an executable shell script; returns its path. */
export function putScript(directory: string, name: string, body: string): string {
  const file = path.join(directory, name);
  writeFileSync(file, `#!/bin/sh\n${body}\n`, { mode: 0o755 });
  return file;
}

/** Shell text of a fake resolver that makes a valid plan of `program` (and logs nothing). */
export function resolving(workshop: Workshop, program: string, records: readonly string[] = []): string {
  const saved = path.join(workshop.directory, `plan-of-${path.basename(program)}`);
  const target = putPlan(workshop.place, program, planText(program, records));
  writeFileSync(saved, planText(program, records), { mode: 0o600 });
  rmSync(target);
  return `cp '${saved}' '${target}.new' && mv '${target}.new' '${target}'`;
}

export function start(workshop: Workshop, args: readonly string[], options: SpawnOptions = {}): ChildProcess {
  return spawn(workshop.launcher, args, { env: workshop.environment, ...options });
}

/** Options of a command that is ended after ten seconds: one that goes on for ever is a failure, not a hang. */
export const limited = { timeout: 10_000, killSignal: 'SIGKILL' } as const;

/** Starts the launcher with `args` and waits for its end. */
export function run(
  workshop: Workshop,
  args: readonly string[],
  options: SpawnOptions = {},
): Promise<Outcome> {
  return outcomeOf(start(workshop, args, options));
}

/** Starts any command in the workshop's environment and waits for its end. */
export function runCommand(
  workshop: Workshop,
  command: readonly [string, ...string[]],
  options: SpawnOptions = {},
): Promise<Outcome> {
  return outcomeOf(spawn(command[0], command.slice(1), { env: workshop.environment, ...options }));
}

function outcomeOf(child: ChildProcess): Promise<Outcome> {
  const output = { stdout: '', stderr: '' };
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    output.stdout += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    output.stderr += text;
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', () => {
      if (child.killed) for (const stream of [child.stdout, child.stderr]) stream?.destroy(); // others may hold them
    });
    child.on('close', (code, signal) => resolve({ code, signal, ...output }));
  });
}
