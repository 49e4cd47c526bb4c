// A command line → what its process tree asked for and did not get, as ld.so and, where it is there, strace tell.
import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { findOnPath } from '../../host/files.ts';
import { type EndedOnTerminal, runOnTerminal } from '../../host/run-program.ts';
import { absoluteDirectories } from '../../host/tool-environment.ts';
import { type MissedFiles, missedFiles, STRACE_OPTIONS } from './missed-files.ts';
import { complaintsIn, type MissedLibrary, missedLibraries } from './missed-libraries.ts';

export interface WatchedStart extends MissedFiles {
  readonly ended: EndedOnTerminal;
  readonly libraries: readonly MissedLibrary[];
  /** `libraries`: nothing here could watch programs and files. */
  readonly watched: 'all' | 'libraries';
}

interface StartToWatch {
  /** The launcher, the program, its arguments. */
  readonly words: readonly [string, ...string[]];
  /** The program's. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Where its output goes. */
  readonly output: 'stdout' | 'stderr';
  /** For what is told of it; removed afterwards. */
  readonly directory: string;
}

const NOTHING: MissedFiles = { programs: [], files: [], complaints: [] };
/** A debug log of more than this is cut: what is missed at a start stands at its beginning. */
const MOST_BYTES = 1 << 28;

function readIn(directory: string, name: string): string {
  const file = path.join(directory, name);
  return statSync(file).size > MOST_BYTES ? '' : readFileSync(file, 'latin1');
}

/** Never one of the working directory. */
function findTracer(searchPath: string | undefined): string | undefined {
  const directories = absoluteDirectories(searchPath ?? '');
  return directories.length === 0 ? undefined : findOnPath('strace', directories.join(':'));
}

/** A tracer that may not trace (ptrace(2), EPERM) starts nothing, and writes nothing. */
async function startTraced(
  { words, env, output }: StartToWatch,
  strace: string | undefined,
  file: string,
): Promise<{ ended: EndedOnTerminal; trace: string | undefined }> {
  if (strace === undefined) return { ended: await runOnTerminal(words, env, output), trace: undefined };
  const ended = await runOnTerminal([strace, ...STRACE_OPTIONS, '-o', file, '--', ...words], env, output);
  const trace = statSync(file, { throwIfNoEntry: false })?.size ? readFileSync(file, 'latin1') : undefined;
  if (trace !== undefined) return { ended, trace };
  return { ended: await runOnTerminal(words, env, output), trace: undefined };
}

function missedIn(directory: string): { libraries: MissedLibrary[]; complaints: string[] } {
  const texts = readdirSync(directory)
    .filter((name) => name.startsWith('ld.'))
    .map((name) => readIn(directory, name));
  const all = texts.flatMap((text) => missedLibraries(text));
  const each = new Map(all.map((library) => [`${library.name}\0${library.by}`, library]));
  return { libraries: [...each.values()], complaints: texts.flatMap(complaintsIn) };
}

/** Runs it to its end. Programs that are setuid, and those of musl, tell nothing of their libraries. */
export async function watchStart(start: StartToWatch): Promise<WatchedStart> {
  const { directory } = start;
  try {
    const env = { ...start.env, LD_DEBUG: 'libs,files', LD_DEBUG_OUTPUT: path.join(directory, 'ld') };
    const strace = findTracer(start.env['PATH']);
    const { ended, trace } = await startTraced({ ...start, env }, strace, path.join(directory, 'trace'));
    const { libraries, complaints } = missedIn(directory);
    const files = trace === undefined ? NOTHING : missedFiles(trace);
    return {
      ended,
      libraries,
      ...files,
      complaints: [...new Set([...files.complaints, ...complaints])],
      watched: trace === undefined ? 'libraries' : 'all',
    };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
