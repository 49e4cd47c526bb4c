// The words of bin/nix-run-foreign.mjs → the program, started through Node where no launcher could be built.
import { accessSync, constants } from 'node:fs';
import { constants as machine } from 'node:os';
import path from 'node:path';
import { errnoOf, ForeignError } from '../../host/errors.ts';
import { findOnPath } from '../../host/files.ts';
import { parseRequestedStrategy } from '../../resolve/choose-strategy.ts';
import { type Context, contextOf } from '../../resolve/context.ts';
import type { ResolveMode } from '../../resolve/job.ts';
import { chooseOnTheWay } from '../choose/choose.ts';
import { explainCommand } from '../explain/explain.ts';
import { resolve } from '../resolve.ts';
import { applyPlan, type Execution } from './apply-plan.ts';
import { startFailure } from './start-failure.ts';

const HELP = `Usage: nix-run-foreign [OPTION] [--] PROGRAM [ARGUMENT...]

Starts PROGRAM, built for another Linux, with libraries from /nix/store.

  --choose   choose libraries by hand on the terminal, then start the program
  --explain  show every library and why it was chosen; start nothing
  --rehash   read the program's content again
  --refresh  choose the libraries again
  --strategy NAME  start it this way from now on; auto takes that back
  --argv0 NAME     what the program is told as its own name
  --version  print the version
  --help     print this

This is the launcher's substitute in Node: it takes longer to start, stays
between the program and its caller, and does not hand over descriptors above 2.
Compile the launcher with: nix-foreign setup (needs a C compiler)
See also: nix-foreign --help, man nix-run-foreign
`;

/** Everything from the words to the exit status; a fatal signal of the program becomes ours. `env`: the program's. */
export async function runMain(
  words: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  version: string,
): Promise<void> {
  const read = readLauncherWords(words);
  const { action, words: command, strategy } = read;
  if (action === '--help') return void process.stdout.write(HELP);
  if (action === '--version') return void process.stdout.write(`nix-run-foreign ${version}\n`);
  const requesting =
    strategy === undefined ? {} : { requested: parseRequestedStrategy(strategy, '--strategy') };
  const context = { ...contextOf(process, version), ...requesting };
  if (action === '--explain')
    return await explainCommand(findProgram(command[0] ?? '', context), {}, context);
  if (action === '--choose') {
    const status = await chooseOnTheWay(findProgram(command[0] ?? '', context), context);
    if (status !== 0) {
      process.exitCode = status;
      return;
    }
  }
  const mode = action === '--rehash' ? 'rehash' : action === '--refresh' ? 'refresh' : 'as-needed';
  const end = await startAndWait(await prepare(read, mode, context, env));
  if (typeof end === 'number') process.exitCode = end;
  else {
    process.removeAllListeners(end);
    process.kill(process.pid, end);
  }
}

/** Of several requests the one that is later in this list counts, as in the launcher (command-line.h). */
const LAUNCHER_ACTIONS = ['--run', '--rehash', '--refresh', '--choose', '--explain'] as const;
const ANSWERED = ['--help', '--version'] as const;
export type LauncherAction = (typeof LAUNCHER_ACTIONS)[number] | (typeof ANSWERED)[number];

interface LauncherWords {
  readonly action: LauncherAction;
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
      rank = Math.max(rank, LAUNCHER_ACTIONS.indexOf('--rehash'));
      continue;
    }
    const answered = ANSWERED.find((each) => each === word);
    if (answered !== undefined) return { action: answered, words: [] };
    if (word.startsWith('--shim=')) {
      const command = needProgram(
        LAUNCHER_ACTIONS[rank] ?? '--run',
        ofShim(word.slice('--shim='.length), rest),
      );
      return { ...command, ...(strategy === undefined ? {} : { strategy }) };
    }
    if (word === '--argv0') {
      argv0 = value(word);
      continue;
    }
    const found = (LAUNCHER_ACTIONS as readonly string[]).indexOf(word);
    if (found < 1) throw usage(`${word}: unknown option`); // nobody can say --run
    rank = Math.max(rank, found);
  }
  return {
    ...needProgram(LAUNCHER_ACTIONS[rank] ?? '--run', rest),
    ...(strategy === undefined ? {} : { strategy }),
    ...(argv0 === undefined ? {} : { argv0 }),
  };
}

function needProgram(action: LauncherAction, words: readonly string[]): LauncherWords {
  if (words.length === 0) throw usage('no program is named');
  return { action, words };
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
function findProgram(name: string, context: Context): string {
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
interface Start extends Execution {
  readonly program: string;
}

/** Resolves the program and says what to execute. @throws ForeignError with the statuses of env(1). */
async function prepare(
  { words, argv0 }: Pick<LauncherWords, 'words' | 'argv0'>,
  mode: ResolveMode,
  context: Context,
  env: Context['env'],
): Promise<Start> {
  const found = findProgram(words[0] ?? '', context);
  const plan = await resolve(found, { ...context, isStart: true }, mode);
  const named = argv0 === undefined ? words : [argv0, ...words.slice(1)];
  return { ...applyPlan(plan, found, named, env), program: found };
}

/** Signals that a terminal or a supervisor sends to us alone are passed on; SIGINT and SIGQUIT reach both. */
const PASSED_ON = ['SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2', 'SIGWINCH', 'SIGCONT'] as const;

/**
 * Starts the program as a child and waits. Its exit status comes back as a number, its fatal signal as a name.
 * @throws ForeignError 126 when the kernel refuses to start it.
 */
async function startAndWait(execution: Start): Promise<number | NodeJS.Signals> {
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
