// `nix-run-foreign` without its launcher: finds, resolves and starts a program through Node.
import { accessSync, constants } from 'node:fs';
import { constants as machine } from 'node:os';
import path from 'node:path';
import { errnoOf, ForeignError } from '../errors.ts';
import { applyPlan, type Execution } from '../launch/apply-plan.ts';
import { findOnPath } from '../launch/find-program.ts';
import type { Context } from '../pipeline/context.ts';
import type { How } from '../pipeline/plan-program.ts';
import { resolve } from './resolve.ts';
import { startFailure } from './start-failure.ts';

/** Of several wishes the one that is later in this list counts, as in the launcher (command-line.h). */
const WISHES = ['--run', '--rehash', '--refresh', '--choose', '--explain'] as const;
const ANSWERED = ['--help', '--version'] as const;
export type Wish = (typeof WISHES)[number] | (typeof ANSWERED)[number];

export interface LauncherWords {
  readonly wish: Wish;
  /** What --strategy names. */
  readonly strategy?: string;
  /** The program and its arguments. */
  readonly words: readonly string[];
  /** What the program is to be told as its argv[0]. */
  readonly argv0?: string;
}

function usage(message: string): ForeignError {
  return new ForeignError(message, { code: 'usage', hint: 'see nix-run-foreign --help', exitCode: 125 });
}

/** The kernel puts the shim's own path behind its `#!` line's argument: the program takes that place. */
function ofShim(program: string, [shim, ...rest]: readonly string[]): readonly string[] {
  return shim === undefined || program === '' ? [] : [program, ...rest];
}

/** Options only before PROGRAM, `--` ends them, `-` is a name (launcher/options.c). @throws ForeignError `usage`. */
export function readLauncherWords(words: readonly string[]): LauncherWords {
  const rest = [...words];
  let rank = 0;
  let strategy: string | undefined;
  let argv0: string | undefined;
  const value = (option: string): string => {
    const word = rest.shift();
    if (word === undefined) throw usage(`${option}: it wants a name`);
    return word;
  };
  for (let word = rest[0]; word !== undefined; word = rest[0]) {
    if (!word.startsWith('-') || word === '-') break;
    rest.shift();
    if (word === '--') break;
    if (word === '--strategy') {
      strategy = value(word);
      rank = Math.max(rank, WISHES.indexOf('--rehash'));
      continue;
    }
    const answered = ANSWERED.find((each) => each === word);
    if (answered !== undefined) return { wish: answered, words: [] };
    if (word.startsWith('--shim=')) {
      const command = needProgram(WISHES[rank] ?? '--run', ofShim(word.slice('--shim='.length), rest));
      return { ...command, ...(strategy === undefined ? {} : { strategy }) };
    }
    if (word === '--argv0') {
      argv0 = value(word);
      continue;
    }
    const found = (WISHES as readonly string[]).indexOf(word);
    if (found < 1) throw usage(`${word}: unknown option`); // nobody can say --run
    rank = Math.max(rank, found);
  }
  return {
    ...needProgram(WISHES[rank] ?? '--run', rest),
    ...(strategy === undefined ? {} : { strategy }),
    ...(argv0 === undefined ? {} : { argv0 }),
  };
}

function needProgram(wish: Wish, words: readonly string[]): LauncherWords {
  if (words.length === 0) throw usage('no program is named');
  return { wish, words };
}

/** Something of that name is there that may not be executed, or its directory may not be searched. */
function isDenied(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true; // a directory, for findOnPath found no file
  } catch (error) {
    return errnoOf(error) === 'EACCES';
  }
}

/** Finds a program as execvp does. @throws ForeignError 127, or 126 for one that may not be executed. */
export function findProgram(name: string, context: Context): string {
  const variable = context.env['PATH'];
  const found = name === '' ? undefined : findOnPath(name, variable);
  if (found !== undefined) return found;
  const directories = name === '' ? [] : (variable ?? '').split(':');
  if (directories.some((directory) => isDenied(path.join(directory, name)))) {
    throw new ForeignError(`${name}: permission denied`, {
      code: 'not-executable',
      hint: 'make the file of that name in PATH executable, or name it by its path',
      exitCode: 126,
    });
  }
  throw new ForeignError(`${name || "''"}: no such file or directory`, {
    code: 'not-found',
    hint: 'check its name; a name without a slash is looked up in PATH',
    exitCode: 127,
  });
}

/** What to execute, and the path by which the program was found. */
export interface Start extends Execution {
  readonly program: string;
}

/** Resolves the program and says what to execute. @throws ForeignError with the statuses of env(1). */
export async function prepare(
  { words, argv0 }: Pick<LauncherWords, 'words' | 'argv0'>,
  how: How,
  context: Context,
  env: Context['env'],
): Promise<Start> {
  const found = findProgram(words[0] ?? '', context);
  const plan = await resolve(found, { ...context, isStart: true }, how);
  const named = argv0 === undefined ? words : [argv0, ...words.slice(1)];
  return { ...applyPlan(plan, found, named, env), program: found };
}

/** Signals that a terminal or a supervisor sends to us alone are passed on; SIGINT and SIGQUIT reach both. */
const PASSED_ON = ['SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2', 'SIGWINCH', 'SIGCONT'] as const;

/**
 * Starts the program as a child and waits. Its exit status comes back as a number, its fatal signal as a name.
 * @throws ForeignError 126 when the kernel refuses to start it.
 */
export async function startAndWait(execution: Start): Promise<number | NodeJS.Signals> {
  const { execa } = await import('execa');
  const child = execa(execution.file, execution.args, {
    argv0: execution.argv0,
    env: execution.env,
    extendEnv: false,
    stdio: 'inherit',
    reject: false,
    cleanup: false,
  });
  for (const signal of ['SIGINT', 'SIGQUIT'] as const) process.on(signal, () => {});
  for (const signal of PASSED_ON) process.on(signal, () => child.kill(signal));
  const { exitCode, signal, code } = await child;
  if (signal !== undefined && signal in machine.signals) return signal as NodeJS.Signals;
  if (exitCode !== undefined) return exitCode;
  throw startFailure(execution.program, execution.file, code ?? 'unknown');
}
