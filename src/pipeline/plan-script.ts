// A script → the plan that starts it: by the kernel alone, or with an interpreter that is not where its `#!` line says.
import type { Program } from '../candidates/program.ts';
import { inspectProgram } from '../candidates/program.ts';
import { ForeignError } from '../errors.ts';
import { inspectInterpreter } from '../launch/interpreter.ts';
import { directPlan } from '../launch/make-plan.ts';
import type { Argument, LaunchPlan } from '../launch/plan.ts';
import { identityOf } from '../platform/identity.ts';
import { programBehindShim } from '../shims/shim-directory.ts';
import type { Context } from './context.ts';
import { type FoundInterpreter, findInterpreter, type Script } from './find-interpreter.ts';

/** Interpreters that are scripts themselves: the kernel follows so many (fs/exec.c, exec_binprm). */
const DEEPEST = 5;

const literal = (text: string): Argument => ({ kind: 'literal', text });

function isScript(kind: Program['kind']): kind is Script {
  return kind.kind === 'script';
}

/** Foreign itself, or a script that needs the same help: then the launcher starts it, by its own plan. */
async function needsLauncher(file: string, context: Context, depth: number): Promise<boolean> {
  // A shim is a script that the kernel can start.
  if (programBehindShim(file) !== file) return false;
  const { kind } = inspectProgram(file, context.surroundings);
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
  program: Program,
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
export async function planScript(program: Program, script: Script, context: Context): Promise<LaunchPlan> {
  const found = await findInterpreter(script, context);
  if (found.kind === 'there') return { ...directPlan(program), absent: found.absent };
  if (found.kind === 'missing') {
    throw new ForeignError(
      `${program.given}: its #! line names an interpreter that is not there: ${script.interpreter}`,
      {
        code: 'no-interpreter',
        hint: `put one of its name on PATH, or: nix-foreign shim add PROGRAM --as ${found.name}`,
        exitCode: 126,
      },
    );
  }
  const { interpreter } = found;
  const through = (await needsLauncher(interpreter.file, context, 1)) ? context.launcher : undefined;
  return planWith(program, interpreter, through);
}
