// A script → the plan that starts it: by the kernel alone, or with an interpreter that is not where its `#!` line says.
import { existsSync } from 'node:fs';
import path from 'node:path';
import type { Classification } from '../elf/classify.ts';
import { readEnvArgument } from '../elf/script-line.ts';
import { ForeignError } from '../host/errors.ts';
import { identityOf } from '../host/file-identity.ts';
import { findOnPath, isExecutable } from '../host/files.ts';
import { shellWord } from '../host/shell-words.ts';
import { absoluteDirectories } from '../host/tool-environment.ts';
import { programBehindShim, shimDirectories } from '../integrations/shims/shim-file.ts';
import { directPlan } from '../plan/make-plan.ts';
import type { Argument, LaunchPlan } from '../plan/plan-format.ts';
import { inspectInterpreter } from '../plan/strategy.ts';
import { inspectProgram, type ProgramFile } from '../program/inspect-program.ts';
import type { Context } from './context.ts';

/** Interpreters that are scripts themselves: the kernel follows so many (fs/exec.c, exec_binprm). */
const DEEPEST = 5;

const literal = (text: string): Argument => ({ kind: 'literal', text });

function isScript(kind: ProgramFile['kind']): kind is ScriptProgram {
  return kind.kind === 'script';
}

/** Foreign itself, or a script that needs the same help: then the launcher starts it, by its own plan. */
async function needsLauncher(file: string, context: Context, depth: number): Promise<boolean> {
  // A shim is a script that the kernel can start.
  if (programBehindShim(file) !== file) return false;
  const { kind } = inspectProgram(file, context.host);
  if (kind.kind === 'dynamic') return inspectInterpreter(kind.interpreter).kind !== 'loader';
  if (!isScript(kind)) return false;
  if (depth > DEEPEST)
    throw new ForeignError(`${file}: its #! line leads through more than ${DEEPEST} scripts`, {
      code: 'too-deep',
      hint: 'name a program as the interpreter, not a script',
      exitCode: 126,
    });
  const next = await findInterpreter(kind, context);
  if (next.kind !== 'found') return false;
  await needsLauncher(next.interpreter.file, context, depth + 1);
  return true;
}

function planWith(
  program: ProgramFile,
  { file, args, absent }: FoundInterpreter,
  launcher: string | undefined,
): LaunchPlan {
  const entering =
    launcher === undefined ? [] : [literal(launcher), literal('--argv0'), literal(file), literal('--')];
  return {
    ...directPlan(program),
    watched: [{ identity: identityOf(file), path: file }],
    absent,
    origin: `a script; its interpreter is ${file}`,
    execute: launcher ?? file,
    argv: [...entering, literal(file), ...args.map(literal), { kind: 'found' }],
  };
}

/**
 * As the kernel would (fs/binfmt_script.c): the interpreter, its one argument if any, the script's path as it was
 * found, then the user's arguments.
 * @throws ForeignError `no-interpreter` where there is none, `too-deep`, and those of `inspectProgram` about it.
 */
export async function planScript(
  program: ProgramFile,
  script: ScriptProgram,
  context: Context,
): Promise<LaunchPlan> {
  const found = await findInterpreter(script, context);
  if (found.kind === 'there') return { ...directPlan(program), absent: found.absent };
  if (found.kind === 'missing') {
    throw new ForeignError(
      `${program.typedName}: its #! line names an interpreter that is not there: ${script.interpreter}`,
      {
        code: 'no-interpreter',
        hint: `put one of its name on PATH, or: nix-foreign shim add PROGRAM --as ${shellWord(found.name)}`,
        exitCode: 126,
      },
    );
  }
  const { interpreter } = found;
  const through = (await needsLauncher(interpreter.file, context, 1)) ? context.launcher : undefined;
  return planWith(program, interpreter, through);
}

type ScriptProgram = Extract<Classification, { kind: 'script' }>;

interface FoundInterpreter {
  /** Absolute path. */
  readonly file: string;
  /** Words between it and the script. */
  readonly args: readonly string[];
  /** While these are not there, the answer stays what it is. */
  readonly absent: readonly string[];
}

type Interpretation =
  /** The kernel, or env(1), finds it, or would say that it is not there; `absent` as above. */
  | { readonly kind: 'there'; readonly absent: readonly string[] }
  | { readonly kind: 'found'; readonly interpreter: FoundInterpreter }
  | { readonly kind: 'missing'; readonly name: string };

/** Directories of PATH in which a script's interpreter can be looked for at any time: absolute ones. */
function directoriesOf({ env }: Context): string[] {
  return absoluteDirectories(env['PATH'] ?? '/bin:/usr/bin');
}

async function shimFile(name: string): Promise<string | undefined> {
  try {
    return path.join((await shimDirectories()).shims, name);
  } catch {
    return undefined; // no home directory
  }
}

async function shimNamed(name: string): Promise<string | undefined> {
  const file = await shimFile(name);
  return file !== undefined && isExecutable(file) ? file : undefined;
}

function onPath(name: string, context: Context): string | undefined {
  return findOnPath(name, directoriesOf(context).join(':') || undefined);
}

const places = (name: string, context: Context) =>
  directoriesOf(context).map((directory) => path.join(directory, name));

const THERE: Interpretation = { kind: 'there', absent: [] };

/** By env: only what is nowhere on PATH is ours to find, since env looks there at every start. */
async function byEnv({ argument }: ScriptProgram, context: Context): Promise<Interpretation> {
  const command = readEnvArgument(argument);
  if (command === undefined || command.name.includes('/')) return THERE;
  if (onPath(command.name, context) !== undefined) return THERE;
  const shim = await shimNamed(command.name);
  if (shim === undefined) return { kind: 'there', absent: [(await shimFile(command.name)) ?? []].flat() };
  const interpreter = { file: shim, args: command.args, absent: places(command.name, context) };
  return { kind: 'found', interpreter };
}

/**
 * The interpreter's name is looked up on PATH, then among the shims. A relative interpreter is the kernel's to find, in
 * the working directory of the start.
 */
async function findInterpreter(script: ScriptProgram, context: Context): Promise<Interpretation> {
  const { interpreter, argument } = script;
  const name = path.basename(interpreter);
  const throughEnv = name === 'env' ? await byEnv(script, context) : THERE;
  if (throughEnv.kind === 'found' || !path.isAbsolute(interpreter) || existsSync(interpreter))
    return throughEnv;
  const found = onPath(name, context);
  const isUsualShell = interpreter === '/bin/sh' || interpreter === '/usr/bin/sh';
  const file = found ?? (await shimNamed(name)) ?? (isUsualShell ? onPath('bash', context) : undefined);
  if (file === undefined) return { kind: 'missing', name };
  const absent = [interpreter, ...(found === undefined ? places(name, context) : [])];
  return { kind: 'found', interpreter: { file, args: argument === undefined ? [] : [argument], absent } };
}
