// A program and a library path → the verdict of the chosen loader itself.

import path from 'node:path';
import { type ListOutput, parseListOutput } from '../loader/list-output.ts';
import { type Ended, runProgramNow } from '../platform/run-program.ts';
import { isAboutTelling, rememberLoader, TELLING } from '../store/loader-facts.ts';

/** ld.so --list takes 5 ms for 40 libraries; a network file system may take its time. */
const TIMEOUT = 60_000;

export interface ProofRequest {
  /** Absolute path of the chosen ld.so. */
  readonly loader: string;
  readonly libc: 'glibc' | 'musl';
  readonly libraryPath: string;
  /** Real path of the program: glibc before 2.42 takes $ORIGIN from the path as given (elf/dl-object.c). */
  readonly program: string;
  /** Whether all that the loader binds before the start has to be defined. musl binds everything, and says so itself. */
  readonly binding?: 'start';
}

function complaintOfEnd(ended: Ended): string[] {
  if (ended.failure !== undefined) return [`the loader could not be started (${ended.failure})`];
  if (ended.timedOut) return ['the loader did not answer'];
  return ended.status === undefined ? ['the loader was killed by a signal'] : [];
}

/**
 * musl's loader names itself by the program's interpreter, where there need not be a file; whoever is asked is what
 * will run (ldso/dynlink.c, __dls3, ldd_mode).
 */
function withItself(output: ListOutput, loader: string): ListOutput {
  const isItself = (file: string | undefined): boolean => /(^|\/)ld-musl-[^/]*$/.test(file ?? '');
  const objects = output.objects.map((each) => (isItself(each.path) ? { ...each, path: loader } : each));
  return { ...output, objects };
}

/** Runs `ld.so --list` with nothing inherited: LD_AUDIT or LD_PRELOAD would load code of the user into it. */
export function proveByLoader(request: ProofRequest): ListOutput {
  const sound = request.binding === 'start' && request.libc === 'glibc' ? soundAndBound(request) : undefined;
  if (sound !== undefined) return sound;
  const listed = listByLoader(request);
  if (request.binding === undefined || request.libc !== 'glibc' || listed.complaints.length > 0)
    return listed;
  const complaints = undefinedByLoader(request, 'start').map(undefinedText);
  return { objects: listed.objects, complaints };
}

/** As a complaint. */
export function undefinedText({ symbol, file }: UndefinedSymbol): string {
  return `${path.basename(file)} needs the symbol ${symbol}, which nobody defines`;
}

/**
 * The list, the symbols and the directories that the loader searches (`loaderFactsOf`), from one start of it in the mode
 * tracing, which is what `--list` does. Undefined when anything at all is wrong: then each is asked by itself.
 */
function soundAndBound(request: ProofRequest): ListOutput | undefined {
  const env = { ...TRACING, ...TELLING.env };
  const libraryPath = `${request.libraryPath}:${TELLING.directories}`;
  const args = ['--inhibit-cache', '--library-path', libraryPath, request.program];
  const { status, stdout, stderr } = runProgramNow(request.loader, args, { env, timeout: TIMEOUT });
  if (status !== 0) return undefined;
  const said = stderr.split('\n').filter((line) => !isAboutTelling(line));
  const listed = parseListOutput(stdout, said.join('\n'), request.program);
  if (listed.complaints.length > 0) return undefined;
  rememberLoader(request.loader, stderr);
  return listed;
}

function listByLoader(request: ProofRequest): ListOutput {
  // musl's loader has no cache to inhibit (ldso/dynlink.c).
  const inhibit = request.libc === 'glibc' ? ['--inhibit-cache'] : [];
  const args = [...inhibit, '--library-path', request.libraryPath, '--list', request.program];
  const ended = runProgramNow(request.loader, args, { env: {}, timeout: TIMEOUT });
  const printed = parseListOutput(ended.stdout, ended.stderr, request.program);
  const output = request.libc === 'musl' ? withItself(printed, request.loader) : printed;
  const end = complaintOfEnd(ended);
  const silentFailure =
    ended.status !== 0 && output.complaints.length === 0 && end.length === 0
      ? [`the loader ended with status ${ended.status}`]
      : [];
  return { objects: output.objects, complaints: [...end, ...output.complaints, ...silentFailure] };
}

/** Whether a glibc loader can load a program: `ld.so --verify` ends with 0 (elf/rtld.c, rtld_main; ldd(1)). */
export function verifyByLoader(loader: string, program: string): boolean {
  return runProgramNow(loader, ['--verify', program], { env: {}, timeout: TIMEOUT }).status === 0;
}

/** A symbol that a loaded object leaves undefined and nobody defines. */
export interface UndefinedSymbol {
  /** As the loader prints it: `name, version V`. */
  readonly symbol: string;
  /** The path the object was opened by. */
  readonly file: string;
}

/** Reads what `LD_WARN` printed (glibc elf/dl-lookup.c, _dl_lookup_symbol_x: `undefined symbol: S, version V\t(FILE)`). */
export function parseUndefinedSymbols(stderr: string): UndefinedSymbol[] {
  return [...stderr.matchAll(/^undefined symbol: (.*?)\s+\((.*)\)$/gm)].map(([, symbol = '', file = '']) => ({
    symbol,
    file,
  }));
}

/** As `ldd -d` (glibc elf/rtld.c, dl_main: LD_WARN has objects relocated in the mode tracing). */
const TRACING = { LD_TRACE_LOADED_OBJECTS: '1', LD_WARN: 'yes' };

/** `start` binds what the loader binds before it starts the program, `ever` also what is bound by the first call. */
export type Binding = 'start' | 'ever';

/**
 * Has a glibc loader bind symbols without starting the program, as `ldd -d` and `ldd -r` do. Takes about as long as `--list` once more, and `ever` longer for
 * large programs, so only sets that are in doubt are asked.
 */
export function undefinedByLoader(request: ProofRequest, binding: Binding): UndefinedSymbol[] {
  const all = binding === 'ever' ? { LD_BIND_NOW: 'yes' } : {};
  const env = { ...TRACING, ...all };
  const args = ['--inhibit-cache', '--library-path', request.libraryPath, request.program];
  return parseUndefinedSymbols(runProgramNow(request.loader, args, { env, timeout: TIMEOUT }).stderr);
}
