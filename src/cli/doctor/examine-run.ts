// `nix-foreign doctor PROGRAM -- ARGS`: runs the program, and says what it asked for and did not get, and what to type.
import { existsSync } from 'node:fs';
import path from 'node:path';
import type { ElfFile } from '../../elf/elf-file.ts';
import { sameMachine } from '../../elf/machine.ts';
import { elfFileAt } from '../../elf/open-elf.ts';
import { libraryOrder } from '../../farm/library-order.ts';
import { temporaryName } from '../../host/atomic-file.ts';
import { findOnPath, makeDirectories } from '../../host/files.ts';
import { listText } from '../../host/output.ts';
import { fileWord, shellWord } from '../../host/shell-words.ts';
import { bringing } from '../../index/bring-packages.ts';
import { listObjects } from '../../ldso/list-objects.ts';
import type { LaunchPlan } from '../../plan/plan-format.ts';
import { librariesAround } from '../../program/beside.ts';
import { inspectProgram, type ProgramFile } from '../../program/inspect-program.ts';
import type { Context } from '../../resolve/context.ts';
import { dynamicOf, verdictOf } from '../../resolve/job.ts';
import { inWritableDirectories } from '../../resolve/writable-directories.ts';
import { withStore } from '../../store/open-catalogue.ts';
import type { Check } from './checks.ts';
import type { MissedLibrary } from './missed-libraries.ts';
import { type WatchedStart, watchStart } from './watch-start.ts';

/** The program that was watched, and how it is started. */
interface WatchedProgram {
  readonly typedName: string;
  readonly args: readonly string[];
  readonly plan: LaunchPlan;
  /** What mends it where its children do not start: a line to type or to set. */
  readonly remedyOfChildren: string | undefined;
}

const commandOf = ({ typedName, args }: WatchedProgram) =>
  [fileWord(typedName), ...args.map(shellWord)].join(' ');

function howItEnded({ ended }: WatchedStart): Check {
  const { status, signal, failure } = ended;
  if (failure !== undefined)
    return { subject: 'run', state: 'lack', detail: `it could not be started: ${failure}` };
  const detail = signal === undefined ? `it ended with status ${status}` : `it was ended by ${signal}`;
  return { subject: 'run', state: status === 0 ? 'ok' : 'note', detail };
}

/** A path counts by its last part: that is the name which a library of the store has. */
const soname = ({ name }: MissedLibrary) => path.posix.basename(name);

/** Who asked for a library: the program, or a child of it that is for another machine. */
interface Requester {
  readonly path: string;
  readonly elf: ElfFile;
  readonly kind: 'program' | 'child';
  /** As it is typed to choose its libraries; undefined where that is not known. */
  readonly typedName: string | undefined;
}

/** ld.so names the file, or of a program what it was called by. */
function fileCalled(by: string, { env }: Context): string | undefined {
  return by.includes('/') ? path.resolve(by) : findOnPath(by, env['PATH']);
}

function requesterOf({ by }: MissedLibrary, program: ProgramFile, context: Context): Requester | undefined {
  const called = fileCalled(by, context);
  const elf = called === undefined ? undefined : elfFileAt(called);
  const machine = program.elf ?? context.host.hostMachines[0];
  const isOther = elf !== undefined && machine !== undefined && !sameMachine(elf, machine);
  if (called !== undefined && isOther)
    return { path: called, elf, kind: 'child', typedName: elf.interpreter && called };
  const { path: file, typedName } = program;
  return program.elf && { path: file, elf: program.elf, kind: 'program', typedName };
}

/** A library that was not found, who asked for it, and where it could come from. */
interface MissedAndOffered {
  readonly library: MissedLibrary;
  readonly requester: Requester | undefined;
  readonly from: 'store' | { readonly beside: string } | 'nowhere';
}

async function offersFor(
  program: ProgramFile,
  libraries: readonly MissedLibrary[],
  context: Context,
): Promise<MissedAndOffered[]> {
  if (libraries.length === 0) return [];
  return await inWritableDirectories(context.host.uid, async ({ catalogues }) =>
    withStore(catalogues, context.location, (catalogue) =>
      libraries.map((library): MissedAndOffered => {
        const requester = requesterOf(library, program, context);
        if (requester === undefined) return { library, requester, from: 'nowhere' };
        const name = soname(library);
        const searched = requester.kind === 'child' ? requester : dynamicOf(program);
        const beside = searched && librariesAround(searched, [name], () => false).get(name);
        if (beside !== undefined) return { library, requester, from: { beside } };
        const { elf } = requester;
        const isStored = catalogue.librariesOffering(name, elf.class, elf.machine).length > 0;
        return { library, requester, from: isStored ? 'store' : 'nowhere' };
      }),
    ),
  );
}

function remedyOf({ library, requester, from }: MissedAndOffered, program: WatchedProgram): string {
  const name = soname(library);
  const choose = `nix-foreign choose ${fileWord(requester?.typedName ?? 'PROGRAM')} --add`;
  // Whoever asked has glibc: musl's loader tells nothing of what it misses.
  if (from === 'nowhere') return `nothing in the store has it: ${bringing([name], requester)}`;
  if (library.name.includes('/'))
    return `it is looked for by that path; have it there: nix-run-foreign --strategy view ${commandOf(program)}`;
  return from === 'store'
    ? `${choose} ${shellWord(name)}`
    : `${choose} ${shellWord(`${name}=${from.beside}`)}`;
}

function checkOfLibrary(offered: MissedAndOffered, program: WatchedProgram): Check {
  const { name, by, how } = offered.library;
  return {
    subject: 'library',
    state: how === 'needed' ? 'lack' : 'note',
    detail: `${name}, ${how === 'needed' ? 'which' : 'opened while it ran by'} ${by}${how === 'needed' ? ' needs' : ''}, was not found`,
    remedy: remedyOf(offered, program),
  };
}

function checkOfProgram(file: string, program: WatchedProgram, context: Context): Check {
  const { remedyOfChildren } = program;
  const check = { subject: 'program', state: 'lack' } as const;
  const interpreter = existsSync(file) ? elfFileAt(file)?.interpreter : undefined;
  if (interpreter !== undefined)
    return {
      ...check,
      detail: `${file} could not be executed: its interpreter ${interpreter} is not there`,
      remedy: remedyOfChildren ?? `nix-run-foreign ${fileWord(file)}`,
    };
  if (existsSync(file))
    return {
      ...check,
      detail: `${file} could not be executed: the interpreter of its #! line is not there`,
      remedy: remedyOfChildren ?? `nix-run-foreign ${fileWord(file)}`,
    };
  const command = path.basename(file);
  const here = findOnPath(command, context.env['PATH']);
  const remedy =
    here === undefined || remedyOfChildren === undefined
      ? `put ${command} on PATH; see which package has it with: nix-locate ${shellWord(`bin/${command}`)}`
      : remedyOfChildren;
  return { ...check, detail: `${file} is not there, and was to be executed`, remedy };
}

const MOST_FILES = 5;

function checksOfFiles(files: readonly string[], { remedyOfChildren }: WatchedProgram): Check[] {
  if (files.length === 0) return [];
  const detail = `looked for and not here: ${listText(files, MOST_FILES)}`;
  const check = { subject: 'files', state: 'note', detail } as const;
  return [remedyOfChildren === undefined ? check : { ...check, remedy: remedyOfChildren }];
}

/** What the loader says of a start with the user's LD_LIBRARY_PATH, or without it. */
async function complaintOf(
  program: ProgramFile,
  { loader, libraryPath }: LaunchPlan,
  context: Context,
  whose: 'with the user' | 'alone',
): Promise<string | undefined> {
  const dynamic = dynamicOf(program);
  if (dynamic === undefined || loader === undefined || libraryPath === undefined) return undefined;
  const dirs = whose === 'alone' ? [] : (dynamic.libraryPathDirs ?? []);
  const { first, last } = libraryOrder(dirs, { loader, libraryPath });
  const request = {
    loader,
    libc: dynamic.libc.kind,
    libraryPath: [...first, libraryPath, ...last].join(':'),
    program: program.path,
  };
  return (await listObjects(request, dynamic.libc, verdictOf(dynamic, context))).complaints[0];
}

const NOT_FOUND = 127;

/** Why ld.so ended the start, and what would not have. */
async function checksOfLoader(
  file: ProgramFile,
  program: WatchedProgram,
  watched: WatchedStart,
  context: Context,
): Promise<Check[]> {
  const asked = watched.ended.status === NOT_FOUND;
  const complaint = asked ? await complaintOf(file, program.plan, context, 'with the user') : undefined;
  const said = [...new Set([...watched.complaints, ...(complaint === undefined ? [] : [complaint])])];
  if (said.length === 0) return [];
  const alone = complaint === undefined ? undefined : await complaintOf(file, program.plan, context, 'alone');
  const isByPath = complaint !== undefined && alone === undefined;
  const start = `nix-run-foreign ${commandOf(program)}`;
  const preload = context.env['LD_PRELOAD'] ? `env -u LD_PRELOAD ${start}` : undefined;
  const remedy = isByPath
    ? `env -u LD_LIBRARY_PATH ${start}`
    : (preload ?? start.replace(' ', ' --refresh '));
  return said.map((detail): Check => ({ subject: 'loader', state: 'lack', detail, remedy }));
}

const UNWATCHED: Check = {
  subject: 'watched',
  state: 'note',
  detail: 'libraries only: programs and files are watched where strace is on PATH',
  remedy: 'bring it, e.g. nix-shell -p strace, and try again',
};

/** Where the next run removes what a killed one left. */
async function directoryToWatchIn(uid: number): Promise<string> {
  return await inWritableDirectories(uid, async ({ cache }) => {
    const directory = temporaryName(path.join(cache, 'watch'));
    makeDirectories(directory);
    return directory;
  });
}

/** Runs it by `launcher`, with its own output on `output`. */
export async function examineRun(
  program: WatchedProgram,
  context: Context,
  launcher: string,
  output: 'stdout' | 'stderr',
): Promise<Check[]> {
  const words: [string, ...string[]] = [launcher, '--', program.typedName, ...program.args];
  const directory = await directoryToWatchIn(context.host.uid);
  const watched = await watchStart({ words, env: context.env, output, directory });
  const file = inspectProgram(program.typedName, context.host);
  const offered = await offersFor(file, watched.libraries, context);
  const checks = [
    ...(await checksOfLoader(file, program, watched, context)),
    ...offered.map((each) => checkOfLibrary(each, program)),
    ...watched.programs.map((each) => checkOfProgram(each, program, context)),
    ...checksOfFiles(watched.files, program),
  ];
  const nothing: Check = { subject: 'missed', state: 'ok', detail: 'nothing that it asked for' };
  return [
    howItEnded(watched),
    ...(checks.length === 0 ? [nothing] : checks),
    ...(watched.watched === 'all' ? [] : [UNWATCHED]),
  ];
}
