// A script's `#!` line → what is to be started with the script, where the kernel could not do it alone.
import { accessSync, constants, existsSync, statSync } from 'node:fs';
import path from 'node:path';
import type { Classification } from '../elf/classify.ts';
import { readEnvArgument } from '../elf/env-line.ts';
import { findOnPath } from '../launch/find-program.ts';
import { shimPlaces } from '../shims/shim-directory.ts';
import type { Context } from './context.ts';

export type Script = Extract<Classification, { kind: 'script' }>;

export interface FoundInterpreter {
  /** Absolute path. */
  readonly file: string;
  /** Words between it and the script. */
  readonly args: readonly string[];
  /** While these are not there, the answer stays what it is. */
  readonly absent: readonly string[];
}

export type Interpretation =
  /** The kernel, or env(1), finds it, or would say that it is not there; `absent` as above. */
  | { readonly kind: 'there'; readonly absent: readonly string[] }
  | { readonly kind: 'found'; readonly interpreter: FoundInterpreter }
  | { readonly kind: 'missing'; readonly name: string };

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

/** Directories of PATH in which a script's interpreter can be looked for at any time: absolute ones. */
function directoriesOf({ env }: Context): string[] {
  return (env['PATH'] ?? '/bin:/usr/bin').split(':').filter((directory) => path.isAbsolute(directory));
}

async function shimFile(name: string): Promise<string | undefined> {
  try {
    return path.join((await shimPlaces()).shims, name);
  } catch {
    return undefined; // no home directory
  }
}

async function shimNamed(name: string): Promise<string | undefined> {
  const file = await shimFile(name);
  return file !== undefined && isProgram(file) ? file : undefined;
}

function onPath(name: string, context: Context): string | undefined {
  return findOnPath(name, directoriesOf(context).join(':') || undefined);
}

const places = (name: string, context: Context) =>
  directoriesOf(context).map((directory) => path.join(directory, name));

const THERE: Interpretation = { kind: 'there', absent: [] };

/** By env: only what is nowhere on PATH is ours to find, since env looks there at every start. */
async function byEnv({ argument }: Script, context: Context): Promise<Interpretation> {
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
export async function findInterpreter(script: Script, context: Context): Promise<Interpretation> {
  const { interpreter, argument } = script;
  const name = path.basename(interpreter);
  const throughEnv = name === 'env' ? await byEnv(script, context) : THERE;
  if (throughEnv.kind === 'found' || !path.isAbsolute(interpreter) || existsSync(interpreter))
    return throughEnv;
  const found = onPath(name, context);
  const file = found ?? (await shimNamed(name));
  if (file === undefined) return { kind: 'missing', name };
  const absent = [interpreter, ...(found === undefined ? places(name, context) : [])];
  return { kind: 'found', interpreter: { file, args: argument === undefined ? [] : [argument], absent } };
}
