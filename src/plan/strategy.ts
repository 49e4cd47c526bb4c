// What is at the interpreter path and which glibc was chosen → the way to start the program, and why; and the strategy
// that the user saved for it.

import { readFileSync, realpathSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { writeFileDurably } from '../host/atomic-file.ts';
import type { Directories } from '../host/directories.ts';
import { errnoOf } from '../host/errors.ts';
import { makeDirectories } from '../host/files.ts';
import { runProgramNow } from '../host/run-program.ts';
import { ownersFor, readTrusted } from '../host/trusted-file.ts';
import { isStrategy, planKey, type Strategy } from './plan-format.ts';

export interface StrategyChoice {
  readonly strategy: Strategy;
  /** One sentence for `explain`. */
  readonly why: string;
  /** Why a way that keeps /proc/self/exe or its children was not taken, where one was called for. */
  readonly misses?: string;
  /** Why no way serves what it needs by a path: it cannot start. */
  readonly unserved?: string;
}

function isOlder(version: readonly number[], than: readonly number[]): boolean {
  for (const [i, limit] of than.entries()) {
    const part = version[i] ?? 0;
    if (part !== limit) return part < limit;
  }
  return false;
}

/** nix-ld up to 2.0.5 crashes with glibc 2.42 and later (nix-community/nix-ld issue 190). */
const NIX_LD_WITH_NEW_GLIBC = [2, 0, 6];
const NEW_GLIBC = [2, 42];

const PROC_SELF_EXE =
  '/proc/self/exe is the loader, so a program that re-executes itself by it will not work';

const nixLdCrashes = (version: readonly number[] | undefined, libc: readonly number[] | undefined): boolean =>
  version !== undefined &&
  isOlder(version, NIX_LD_WITH_NEW_GLIBC) &&
  libc !== undefined &&
  !isOlder(libc, NEW_GLIBC);

/** What the choice depends on. */
export interface Situation {
  readonly interpreter: Interpreter;
  /** The chosen libc's version, if known. */
  readonly libc: readonly number[] | undefined;
  /**
   * Whether a launcher is for the program's machine, so that it can be entered as the loader: the one that runs here,
   * or another of the package (`beside`).
   */
  readonly machine: 'own' | 'beside' | 'other';
  /** Whether it names the launcher by a path of its own, and nothing serves those who name the usual one. */
  readonly isServedAlone?: boolean;
  /** What the user wants, if anything. */
  readonly wanted?: string | undefined;
  /** Whether binfmt_misc hands the program to the launcher, and would do so again if it were started itself. */
  readonly byBinfmt?: boolean;
  /** What the program is known as that reads /proc/self/exe, e.g. `Bun`; undefined for any other. */
  readonly readsItself?: string | undefined;
  /** A foreign program that lies in the program's own tree: it may start that one. */
  readonly relative?: string | undefined;
  /** Whether starting other programs is what it is there for, as for a shell. */
  readonly startsOthers?: boolean;
  /** A library that it needs by a path where nothing is. */
  readonly neededPath?: string | undefined;
  /**
   * Whether /proc/self/exe can be kept by a view, a namespace or a patched copy: why not, or undefined where it can.
   * Asked when needed.
   */
  readonly whyNo?: Readonly<Record<'view' | 'namespace' | 'copy', () => string | undefined>>;
}

function byLoader(why: string): StrategyChoice {
  return {
    strategy: 'loader',
    why: `${why}, so the chosen loader is started with the program; ${PROC_SELF_EXE}`,
  };
}

function byNixLd({ interpreter: { path, version }, libc, machine, wanted }: Situation): StrategyChoice {
  const sits = `nix-ld sits at ${path}`;
  if (wanted !== 'nix-ld' && machine !== 'other')
    return {
      strategy: 'interpreter',
      why: `${sits} and enters the launcher, which enters the chosen loader; so do its children`,
    };
  if (!nixLdCrashes(version, libc)) return { strategy: 'nix-ld', why: sits };
  return {
    strategy: 'loader',
    why: `the nix-ld at ${path} (${version?.join('.')}) crashes with glibc ${libc?.join('.')}; ${PROC_SELF_EXE}`,
  };
}

const untried = () => 'it was not tried';

type Way = 'view' | 'namespace' | 'copy';

const WAYS: Readonly<
  Record<Way, { strategy: Strategy; name: string; how: (interpreter: string) => string }>
> = {
  view: {
    strategy: 'view',
    name: 'view',
    how: () =>
      'it starts in a view, where the launcher is at every interpreter path, so its children start too; setuid programs work there for root only',
  },
  namespace: {
    strategy: 'namespace',
    name: 'namespace',
    how: (interpreter) =>
      `the launcher lies over ${interpreter} in a namespace of the program's own, so /proc/self/exe is the program; setuid programs do not work in there`,
  },
  copy: {
    strategy: 'patched',
    name: 'patched copy',
    how: () => 'a copy that names the launcher as its interpreter is started, and /proc/self/exe is the copy',
  },
};

/** Tried in this order; binfmt_misc would take a program in a view for foreign once more. */
function waysFor(wanted: string | undefined, { byBinfmt, readsItself }: Situation): readonly Way[] {
  if (wanted === 'patched' || byBinfmt) return ['copy'];
  if (wanted === 'namespace') return ['namespace', 'copy'];
  return wanted === 'view' || readsItself !== undefined ? ['view', 'copy'] : ['view'];
}

/** Where the programs of the system name the same interpreter, they would come to the launcher too. */
function whyUnfit(way: Way, { interpreter, machine, isServedAlone }: Situation): string | undefined {
  const { kind, path } = interpreter;
  if (way === 'copy') return undefined;
  if (kind === 'loader') return `the system's own loader sits at ${path}`;
  if (way === 'namespace')
    return machine === 'own' ? undefined : 'the launcher that would lie there is for another machine';
  if (machine === 'other') return 'the launcher is for another machine';
  return kind === 'missing' || kind === 'stub-ld' || isServedAlone
    ? undefined
    : `something sits at ${path} already`;
}

function reasonFor({ readsItself, relative, startsOthers, wanted }: Situation): string | undefined {
  if (wanted === 'view' || wanted === 'namespace' || wanted === 'patched') return 'it was asked for';
  if (wanted !== undefined) return undefined;
  if (readsItself !== undefined) return `it reads /proc/self/exe (${readsItself})`;
  if (relative !== undefined) return `it may start ${relative}, which is foreign too`;
  return startsOthers === true ? 'it starts other programs, which may be foreign too' : undefined;
}

/** By a view, a namespace or a copy, whichever is wanted or works; undefined where none does or none is called for. */
function keepingItself(given: Situation): StrategyChoice | undefined {
  const wanted = given.byBinfmt && given.wanted !== 'patched' ? undefined : given.wanted;
  const others = given.byBinfmt ? { relative: undefined, startsOthers: false } : {};
  const situation = { ...given, wanted, ...others };
  const { interpreter, whyNo } = situation;
  const reason = reasonFor(situation);
  if (reason === undefined) return undefined;
  const refusals: string[] = [];
  for (const way of waysFor(wanted, situation)) {
    const { strategy, name, how } = WAYS[way];
    const why = whyUnfit(way, situation) ?? (whyNo?.[way] ?? untried)();
    if (why === undefined) return { strategy, why: `${reason}: ${how(interpreter.path)}` };
    refusals.push(`no ${name}: ${why}`);
  }
  const choice = byLoader(`${reason}, but ${refusals.join('; ')}`);
  // Of a program for another machine no way serves the children; those of this one have the system's own loader.
  const isServed = situation.machine === 'other' || situation.interpreter.kind === 'loader';
  return isServed ? choice : { ...choice, misses: refusals.join('; ') };
}

/** By a view that has something at the path, or a copy that needs the plain name: no loader searches for a path. */
function servingPath(situation: Situation, neededPath: string): StrategyChoice {
  const { wanted, byBinfmt, interpreter, whyNo } = situation;
  const refusals: string[] = [];
  for (const way of wanted === 'patched' || byBinfmt ? (['copy'] as const) : (['view', 'copy'] as const)) {
    const { strategy, name, how } = WAYS[way];
    const why = whyUnfit(way, situation) ?? (whyNo?.[way] ?? untried)();
    if (why === undefined)
      return {
        strategy,
        why: `it needs ${neededPath}, where nothing is, and gets the library of that name: ${how(interpreter.path)}`,
      };
    refusals.push(`no ${name}: ${why}`);
  }
  const unserved = refusals.join('; ');
  return { ...byLoader(`it needs ${neededPath}, where nothing is (${unserved})`), unserved };
}

/** Chooses the strategy for a dynamic program. A request that this machine cannot meet is passed over. */
export function chooseStrategy(situation: Situation): StrategyChoice {
  const { interpreter, machine, wanted } = situation;
  const { kind, path } = interpreter;
  const isServed = kind === 'nix-ld' || (kind === 'launcher' && machine !== 'other');
  if (situation.neededPath !== undefined) return servingPath(situation, situation.neededPath);
  if (wanted === 'loader') return byLoader('it was asked for');
  if (situation.byBinfmt)
    return keepingItself(situation) ?? byLoader('binfmt_misc hands the program itself to the launcher');
  if ((wanted === 'view' && !isServed) || wanted === 'namespace' || wanted === 'patched') {
    const saved = keepingItself(situation);
    if (saved !== undefined) return saved;
  }
  if (kind === 'nix-ld') return byNixLd(situation);
  if (kind === 'launcher') {
    if (machine === 'other') return byLoader(`the launcher at ${path} is for another machine`);
    const asked = wanted === 'view' && situation.isServedAlone ? keepingItself(situation) : undefined;
    return asked?.strategy === 'view'
      ? asked
      : { strategy: 'interpreter', why: `the launcher itself sits at ${path}` };
  }
  const saved = keepingItself(situation);
  if (saved !== undefined) return saved;
  return byLoader(
    {
      missing: `nothing is at ${path}`,
      'stub-ld': `NixOS' stub-ld sits at ${path}`,
      loader: `the loader of another libc sits at ${path}`,
      unknown: `what sits at ${path} is not known`,
    }[kind],
  );
}

export type InterpreterKind = 'missing' | 'launcher' | 'nix-ld' | 'stub-ld' | 'loader' | 'unknown';

export interface Interpreter {
  readonly path: string;
  readonly kind: InterpreterKind;
  /** The file behind the links; undefined when missing. */
  readonly realPath: string | undefined;
  /** From the store object's name, e.g. [2, 0, 6]; undefined when it does not say. */
  readonly version: readonly number[] | undefined;
}

/** nix-ld and stub-ld have some 20-40 KiB, glibc's loader 200-900 KiB. */
const LARGEST_INTERPRETER = 4 << 20;

/**
 * Our launcher holds the plan format's name; nix-ld (any version) reads NIX_LD...; NixOS' stub-ld prints a fixed
 * sentence; a libc's loader reads LD_LIBRARY_PATH.
 */
function kindOfContent(content: Buffer): InterpreterKind {
  if (content.toString('latin1', 0, 4) !== '\x7fELF') return 'unknown';
  if (content.includes('nix-run-foreign plan')) return 'launcher';
  if (content.includes('NIX_LD')) return 'nix-ld';
  if (content.includes('NixOS cannot run dynamically linked executables')) return 'stub-ld';
  return content.includes('LD_LIBRARY_PATH') || content.includes('LD_PRELOAD') ? 'loader' : 'unknown';
}

function versionIn(realPath: string): readonly number[] | undefined {
  const digits = /-nix-ld-(?:rs-)?(\d+(?:\.\d+)*)/.exec(realPath)?.[1];
  return digits?.split('.').map(Number);
}

/** Looks at an interpreter path. Never throws: what cannot be read is `unknown`. */
export function inspectInterpreter(path: string): Interpreter {
  try {
    const realPath = realpathSync(path);
    const stats = statSync(realPath);
    const readable = stats.isFile() && stats.size <= LARGEST_INTERPRETER;
    const kind = readable ? kindOfContent(readFileSync(realPath)) : 'unknown';
    return { path, kind, realPath, version: versionIn(realPath) };
  } catch (error) {
    const missing = errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR';
    return { path, kind: missing ? 'missing' : 'unknown', realPath: undefined, version: undefined };
  }
}

const TIMEOUT = 10_000;

/** Has the launcher try it (launcher/namespace.c). Undefined where it works, else why not, as one clause. */
export function whyNoNamespace(launcher: string | undefined, interpreterPath: string): string | undefined {
  return whyLauncherFails(launcher, ['--try-namespace', interpreterPath]);
}

/** Has the launcher try what its arguments say. Undefined where that works, else why not, as one clause. */
export function whyLauncherFails(launcher: string | undefined, args: readonly string[]): string | undefined {
  if (launcher === undefined || inspectInterpreter(launcher).kind !== 'launcher')
    return 'there is no launcher';
  const { status, stderr, failure } = runProgramNow(launcher, args, { env: {}, timeout: TIMEOUT });
  if (status === 0) return undefined;
  const first = stderr.split('\n')[0]?.replace(/^nix-run-foreign: (?:no view can be made: )?/, '');
  return first || failure || 'the launcher could not try it';
}

const MAXIMUM_SIZE = 1 << 13;

export function strategyFile(dirs: Directories, program: string): string {
  return path.join(path.dirname(dirs.roots), 'strategies', planKey(program));
}

/** As with plans: what somebody else could have written does not count (PLAN.md). */
function readOwn(file: string): string | undefined {
  const owners = ownersFor(process.geteuid?.() ?? 0, file);
  const content = readTrusted(file, { owners, follow: false, limit: MAXIMUM_SIZE });
  return content.kind === 'read' ? content.bytes.toString('utf8') : undefined;
}

/** The first trusted request; undefined where there is none or what is there is damaged. */
export function readStrategy(directories: readonly Directories[], program: string): Strategy | undefined {
  for (const dirs of directories) {
    const [strategy, of, rest] = readOwn(strategyFile(dirs, program))?.split('\n') ?? [];
    if (of === program && rest === '' && isStrategy(strategy)) return strategy;
  }
  return undefined;
}

/** Keeps a request, or forgets it: undefined. @throws Node's errors when the place cannot be written. */
export function saveStrategy(dirs: Directories, program: string, strategy: Strategy | undefined): void {
  const file = strategyFile(dirs, program);
  if (strategy === undefined) {
    rmSync(file, { recursive: true, force: true });
    return;
  }
  makeDirectories(path.dirname(file));
  writeFileDurably(file, `${strategy}\n${program}\n`);
}
