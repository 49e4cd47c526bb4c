// A program → what a real glibc loader says of it: its list, its status, its complaints, in the simulation's words.
import { spawnSync } from 'node:child_process';
import type { SimulationRequest } from '../../src/ldso/simulation/request.ts';
import type { LoadTrace } from '../../src/ldso/simulation/trace.ts';
import { printList } from './print-list.ts';

export interface Answer {
  readonly status: number | null;
  readonly list: readonly string[];
  /** Sorted. */
  readonly complaints: readonly string[];
}

type Question = Pick<SimulationRequest, 'libraryPath' | 'preload' | 'onMissing'> & {
  readonly loader: string;
  readonly program: string;
  readonly cwd: string;
  /** Milliseconds after which it counts as endless. */
  readonly patience?: number;
};

/** Runs `ld.so --list`, or with `onMissing: 'note'` what ldd runs. */
export function askLoader({
  loader,
  program,
  libraryPath,
  preload = [],
  onMissing,
  cwd,
  patience = 20_000,
}: Question): Answer {
  const env: Record<string, string> =
    onMissing === 'note' ? { LD_TRACE_LOADED_OBJECTS: '1', LD_WARN: '' } : {};
  const args = [
    '--inhibit-cache',
    ...(libraryPath === '' ? [] : ['--library-path', libraryPath]),
    ...(preload.length === 0 ? [] : ['--preload', preload.join(':')]),
    ...(onMissing === 'note' ? [] : ['--list']),
    program,
  ];
  const { status, stdout, stderr, error } = spawnSync(loader, args, {
    env,
    cwd,
    encoding: 'latin1',
    timeout: patience,
    killSignal: 'SIGKILL',
  });
  if (error !== undefined || status === null) return endless;
  return { status, list: readList(stdout), complaints: readComplaints(stderr, program) };
}

/** Filters that filter each other: it runs for ever or until its stack is full. */
export const endless: Answer = { status: null, list: [], complaints: ['endless'] };

/** The same of a simulated start. */
export function answerOf(trace: LoadTrace): Answer {
  if (trace.errors.some(({ message }) => message.endsWith(': its filters filter each other'))) return endless;
  const errors = trace.errors.filter(({ stage }) => stage !== 'start');
  const said = new Set(['no versions', 'weak version', 'not preloaded']);
  const warnings = trace.warnings.filter(({ kind }) => said.has(kind));
  const complaints = [...errors, ...warnings].map(({ message }) => message).sort();
  return { status: trace.listStatus, list: printList(trace), complaints };
}

/** Addresses go, and the vDSO. 2.36 prints `name => name` where others print the name once. */
function readList(stdout: string): string[] {
  return stdout
    .split('\n')
    .map((line) => line.trim().replace(/ \(0x[0-9a-f]+\)$/, ''))
    .filter((line) => line !== '' && !/^linux-(vdso|gate)\.so/.test(line))
    .map((line) => line.replace(/^(.*) => \1$/, '$1'));
}

function readComplaints(stderr: string, program: string): string[] {
  return stderr
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => (line.startsWith(`${program}: `) ? line.slice(program.length + 2) : line))
    .map((line) =>
      line
        .replace(/^error while loading shared libraries: /, '')
        .replace(/^ERROR: ld\.so: object '(.*)' from --preload /, "object '$1' ")
        .replace(/(dl-\w+\.c): \d+:/, '$1:'),
    )
    .sort();
}
