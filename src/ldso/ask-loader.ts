// A program and a library path → what the loader itself lists and complains of, and the symbols it finds undefined.
import path from 'node:path';
import { elfFileAt } from '../elf/open-elf.ts';
import { ForeignError, reasonOf, remedyOf } from '../host/errors.ts';
import { type Ended, runProgramNow } from '../host/run-program.ts';
import { pathOfElfString } from '../program/run-directories.ts';
import { isLoaderKnown, REPORT_SEARCH_PATHS, rememberLoader, withoutSearchReport } from './search-paths.ts';

/** ld.so --list takes 5 ms for 40 libraries; a network file system may take its time. */
const TIMEOUT = 60_000;

export interface ListRequest {
  /** Absolute path of the chosen ld.so. */
  readonly loader: string;
  readonly libc: 'glibc' | 'musl';
  readonly libraryPath: string;
  /** Real path of the program: glibc before 2.42 takes $ORIGIN from the path as given (elf/dl-object.c). */
  readonly program: string;
  /**
   * Whether all that the loader binds before the start has to be defined. musl binds everything, and says so itself.
   */
  readonly binding?: 'start';
  /** Names that are loaded with the program, as dlopen(3) of each would. */
  readonly opened?: readonly string[];
}

/** What an errno of execve(2), or of what comes before it, asks for. */
function remedyOfFailure(errno: string): string {
  switch (errno) {
    case 'ENOMEM':
    case 'EAGAIN':
      return 'the machine, or its limits, let no further process start; end some and try again';
    case 'EACCES':
    case 'EPERM':
      return 'see whether the store is mounted noexec, or a security module forbids it';
    case 'ENOENT':
      return 'it was taken from the store just now; try again';
    default:
      return remedyOf(errno, 'try again; nix-foreign doctor looks at this machine');
  }
}

/** It said nothing about the set, so this is no refusal. */
function loaderNotStarted(loader: string, errno: string): ForeignError {
  const reason = reasonOf(Object.assign(new Error(errno), { code: errno }));
  return new ForeignError(`the loader ${loader} cannot be started: ${reason}`, {
    code: 'loader-not-started',
    hint: remedyOfFailure(errno),
    exitCode: 125,
  });
}

function complaintOfEnd(ended: Ended): string[] {
  if (ended.timedOut) return ['the loader did not answer'];
  return ended.status === undefined ? ['the loader was killed by a signal'] : [];
}

function orSilentFailure(complaints: readonly string[], { status }: Ended): readonly string[] {
  return status === 0 || complaints.length > 0 ? complaints : [`the loader ended with status ${status}`];
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

/**
 * Runs `ld.so --list` with nothing inherited: LD_AUDIT or LD_PRELOAD would load code of the user into it.
 * @throws ForeignError `loader-not-started`.
 */
export function askLoader(request: ListRequest): ListOutput {
  const sound = request.binding === 'start' && request.libc === 'glibc' ? soundAndBound(request) : undefined;
  if (sound !== undefined) return sound;
  const listed = listByLoader(request);
  if (request.binding === undefined || request.libc !== 'glibc' || listed.complaints.length > 0)
    return listed;
  const complaints = undefinedByLoader(request, 'start').map(undefinedText);
  return { objects: listed.objects, complaints };
}

/** As a complaint. */
function undefinedText({ symbol, file }: UndefinedSymbol): string {
  return `${path.basename(file)} needs the symbol ${symbol}, which nobody defines`;
}

/**
 * The list, the symbols and the directories that the loader searches (`loaderFactsOf`), from one start of it in the
 * mode tracing, which is what `--list` does. Undefined when anything at all is wrong: then each is asked by itself.
 */
function soundAndBound(request: ListRequest): ListOutput | undefined {
  const env = { ...TRACING, ...REPORT_SEARCH_PATHS.env };
  const libraryPath = `${request.libraryPath}:${REPORT_SEARCH_PATHS.directories}`;
  const args = ['--inhibit-cache', '--library-path', libraryPath, request.program];
  const { status, stdout, stderr } = runProgramNow(request.loader, args, { env, timeout: TIMEOUT });
  if (status !== 0) return undefined;
  const said = withoutSearchReport(stderr);
  const listed = parseListOutput(stdout, said, request.program, unprintableNames(request));
  if (listed.complaints.length > 0) return undefined;
  rememberLoader(request.loader, stderr);
  return listed;
}

interface ListCall {
  readonly env: Readonly<Record<string, string>>;
  readonly libraryPath: string;
  readonly isReporting: boolean;
}

/** A loader's first answer tells its directories too, so that it need not be started once more for them. */
function listingOf(request: ListRequest, unprintable: readonly string[]): ListCall {
  const { loader, libc, libraryPath, opened } = request;
  if (opened !== undefined) return { env: { LD_PRELOAD: opened.join(':') }, libraryPath, isReporting: false };
  // A report is read line by line.
  const isReadable = libc === 'glibc' && libraryPath !== '' && unprintable.length === 0;
  if (!isReadable || isLoaderKnown(loader)) return { env: {}, libraryPath, isReporting: false };
  const { env, directories } = REPORT_SEARCH_PATHS;
  return { env, libraryPath: `${libraryPath}:${directories}`, isReporting: true };
}

function listByLoader(request: ListRequest): ListOutput {
  // musl's loader has no cache to inhibit (ldso/dynlink.c).
  const inhibit = request.libc === 'glibc' ? ['--inhibit-cache'] : [];
  const unprintable = unprintableNames(request);
  const { env, libraryPath, isReporting } = listingOf(request, unprintable);
  const args = [...inhibit, '--library-path', libraryPath, '--list', request.program];
  const ended = runProgramNow(request.loader, args, { env, timeout: TIMEOUT });
  if (ended.failure !== undefined) throw loaderNotStarted(request.loader, ended.failure);
  const stderr = isReporting ? withoutSearchReport(ended.stderr) : ended.stderr;
  if (isReporting) rememberLoader(request.loader, ended.stderr);
  const printed = parseListOutput(ended.stdout, stderr, request.program, unprintable);
  const output = request.libc === 'musl' ? withItself(printed, request.loader) : printed;
  const end = complaintOfEnd(ended);
  return { objects: output.objects, complaints: orSilentFailure([...end, ...output.complaints], ended) };
}

/**
 * What a glibc loader complains of, and goes on: `--list` ends at the first library that it does not find (glibc
 * elf/rtld.c, where only the mode tracing tells _dl_map_object_deps to pass over it).
 * @throws ForeignError `loader-not-started`.
 */
export function allComplaints(request: ListRequest): readonly string[] {
  const { loader, libraryPath, program, opened = [], binding } = request;
  const { LD_WARN, ...listing } = TRACING;
  const env = { ...listing, LD_PRELOAD: opened.join(':'), ...(binding === 'start' && { LD_WARN }) };
  const args = ['--inhibit-cache', '--library-path', libraryPath, program];
  const ended = runProgramNow(loader, args, { env, timeout: TIMEOUT });
  if (ended.failure !== undefined) throw loaderNotStarted(loader, ended.failure);
  const others = ended.stderr.split('\n').filter((line) => !line.startsWith(UNDEFINED));
  const { complaints } = parseListOutput(ended.stdout, others.join('\n'), program, unprintableNames(request));
  const unbound = parseUndefinedSymbols(ended.stderr).map(undefinedText);
  return orSilentFailure([...complaintOfEnd(ended), ...complaints, ...unbound], ended);
}

/** What `--list` prints, as it prints it, and how it ended. */
export function listedText({ loader, libraryPath, program }: Omit<ListRequest, 'libc'>): Ended {
  const search = libraryPath === '' ? [] : ['--library-path', libraryPath];
  return runProgramNow(loader, [...search, '--list', program], { env: {}, timeout: TIMEOUT });
}

/** Whether a glibc loader can load a program: `ld.so --verify` ends with 0 (elf/rtld.c, rtld_main; ldd(1)). */
export function verifyByLoader(loader: string, program: string): boolean {
  return runProgramNow(loader, ['--verify', program], { env: {}, timeout: TIMEOUT }).status === 0;
}

/** A symbol that a loaded object leaves undefined and nobody defines. */
interface UndefinedSymbol {
  /** As the loader prints it: `name, version V`. */
  readonly symbol: string;
  /** The path the object was opened by. */
  readonly file: string;
}

const UNDEFINED = 'undefined symbol: ';

/**
 * Reads what `LD_WARN` printed (glibc elf/dl-lookup.c, _dl_lookup_symbol_x: `undefined symbol: S, version V\t(FILE)`).
 */
export function parseUndefinedSymbols(stderr: string): UndefinedSymbol[] {
  return stderr.split('\n').flatMap((line) => {
    const at = line.search(/\s\(/);
    if (!line.startsWith(UNDEFINED) || !line.endsWith(')') || at < UNDEFINED.length) return [];
    return [{ symbol: line.slice(UNDEFINED.length, at).trimEnd(), file: line.slice(at + 2, -1) }];
  });
}

/** As `ldd -d` (glibc elf/rtld.c, dl_main: LD_WARN has objects relocated in the mode tracing). */
const TRACING = { LD_TRACE_LOADED_OBJECTS: '1', LD_WARN: 'yes' };

/** `start` binds what the loader binds before it starts the program, `ever` also what is bound by the first call. */
type Binding = 'start' | 'ever';

/**
 * Has a glibc loader bind symbols without starting the program, as `ldd -d` and `ldd -r` do. Takes about as long as
 * `--list` once more, and `ever` longer for
 * large programs, so only sets that are in doubt are asked.
 */
function undefinedByLoader(request: ListRequest, binding: Binding): UndefinedSymbol[] {
  const all = binding === 'ever' ? { LD_BIND_NOW: 'yes' } : {};
  const env = { ...TRACING, ...all };
  const args = ['--inhibit-cache', '--library-path', request.libraryPath, request.program];
  return parseUndefinedSymbols(runProgramNow(request.loader, args, { env, timeout: TIMEOUT }).stderr);
}

/** One loaded object, in load order. */
export interface LoadedObject {
  /** The name it was requested by, or its path when it was requested by path. */
  readonly name: string;
  /** The path it was opened by; undefined when ld.so did not find it. */
  readonly path: string | undefined;
}

export interface ListOutput {
  readonly objects: readonly LoadedObject[];
  /** Complaints that mean the program would not start, or would start with a mixture. */
  readonly complaints: readonly string[];
}

/**
 * ld.so only warns when an object defines no versions at all (glibc elf/dl-version.c, `no version information
 * available`), for weak references (`weak version`), and of a preload of the whole machine that is not for this program
 * (elf/rtld.c, do_preload; NixOS' memory allocator beside a 32-bit program): the program starts.
 */
const HARMLESS =
  /: no version information available \(required by |: weak version `|^ERROR: ld\.so: object '.*' from \/etc\/ld\S*\.preload cannot be preloaded/;

/** A glibc line in front of a complaint: `PROGRAM: `. The rest is what matters to a reader. */
function withoutPrefix(line: string, program: string): string {
  const text = line.startsWith(`${program}: `) ? line.slice(program.length + 2) : line;
  return text.replace(/^error while loading shared libraries: /, '');
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const CONTROL = /[\u0000-\u001f]/;

/** What the loader was asked about and prints as it is, though it breaks a line: names and directories. */
function unprintableNames({ program, libraryPath }: ListRequest): string[] {
  const elf = elfFileAt(program);
  const paths = [elf?.rpath, elf?.runpath, libraryPath].flatMap((list) => list?.split(':') ?? []);
  const names = [elf?.interpreter, ...(elf?.needed ?? []), ...paths];
  const texts = names.filter((name) => name !== undefined).map(pathOfElfString);
  const odd = [program, path.dirname(program), ...texts].filter((name) => CONTROL.test(name));
  return odd.sort((a, b) => b.length - a.length);
}

/** Puts in place of each name a mark that no output contains: no name has a NUL. */
function marking(text: string, names: readonly string[]): string {
  return names.reduce((marked, name, at) => marked.replaceAll(name, `\0${at}\0`), text);
}

/**
 * Reads the output of `ld.so --list PROGRAM` (glibc elf/rtld.c, `rtld_mode_list`; musl ldso/dynlink.c, `ldd_mode`).
 * Its exit status says nothing of missing versions, so every line of stderr counts. `unprintable`: names with line
 * breaks that may stand in it, the longest first, so that no name writes lines of its own into the list.
 */
export function parseListOutput(
  stdout: string,
  stderr: string,
  program: string,
  unprintable: readonly string[] = [],
): ListOutput {
  const [out, err, by] = [stdout, stderr, program].map((text) => marking(text, unprintable));
  const { objects, complaints } = parseLines(out ?? '', err ?? '', by ?? '');
  const restored = (text: string) => text.replace(/\0(\d+)\0/g, (_, at) => unprintable[Number(at)] ?? '');
  return {
    objects: objects.map(({ name, path: file }) => ({ name: restored(name), path: file && restored(file) })),
    complaints: complaints.map(restored),
  };
}

function parseLines(stdout: string, stderr: string, program: string): ListOutput {
  const objects: LoadedObject[] = [];
  for (const line of stdout.split('\n')) {
    const match = /^\t(.*?)(?: => (.*?))?(?: \(0x[0-9a-f]+\))?$/s.exec(line);
    const name = match?.[1];
    // Where the kernel gives no vDSO, the program itself stands in its place, which has no name (glibc elf/rtld.c).
    if (match === null || !name || name === 'statically linked') continue;
    const target = match[2] ?? name;
    if (target.startsWith('linux-vdso.so') || target.startsWith('linux-gate.so')) continue;
    objects.push({ name, path: target === 'not found' ? undefined : target });
  }
  const complaints = stderr
    .split('\n')
    .filter((line) => line.trim() !== '' && !HARMLESS.test(line))
    .map((line) => withoutPrefix(line, program));
  const missing = objects
    .filter((object) => object.path === undefined)
    .map((object) => `${object.name} not found`);
  return { objects, complaints: [...complaints, ...missing] };
}

/**
 * Complaints about undefined symbols in the libraries of `closest` (needed names) and in what needs them: with the
 * exact libraries these would be defined. What other objects leave undefined, they leave so with any set.
 */
export function closestComplaints(
  request: ListRequest,
  objects: readonly LoadedObject[],
  closest: ReadonlySet<string>,
): string[] {
  if (closest.size === 0 || request.libc !== 'glibc') return [];
  const concerned = new Set<string>();
  for (const { name, path: file } of [{ name: request.program, path: request.program }, ...objects]) {
    if (file === undefined) continue;
    const concerns =
      closest.has(path.basename(name)) || elfFileAt(file)?.needed.some((each) => closest.has(each));
    if (concerns) concerned.add(file);
  }
  return undefinedByLoader(request, 'ever')
    .filter(({ file }) => concerned.has(file))
    .map(undefinedText);
}
