// A program and the machine it is on → the way to start it.

import { findMachine, sameMachine } from '../elf/machine.ts';
import { elfFileAt, openFileSource } from '../elf/open-elf.ts';
import { selfReader } from '../elf/self-reader.ts';
import type { VerifiedSet } from '../farm/verify-set.ts';
import { ForeignError } from '../host/errors.ts';
import { realPath } from '../host/files.ts';
import { ruleTaking } from '../integrations/binfmt/binfmt-registry.ts';
import { libcVersionOf } from '../ldso/search-paths.ts';
import { isStrategy, type LaunchPlan, STRATEGIES, type Strategy } from '../plan/plan-format.ts';
import {
  chooseStrategy,
  type Interpreter,
  inspectInterpreter,
  readStrategy,
  type Situation,
  type StrategyChoice,
} from '../plan/strategy.ts';
import type { ProgramFile } from '../program/inspect-program.ts';
import { pathOfElfString } from '../program/run-directories.ts';
import { interpreterOfChildren } from '../view/children.ts';
import { isVacant } from '../view/shown-libraries.ts';
import { foreignRelative, startsItselfByName, startsOthers, whyItReadsItself } from '../view/wants-view.ts';
import type { Context } from './context.ts';
import type { DynamicProgram } from './job.ts';
import { launcherForMachine } from './own-package.ts';
import { allDirectories } from './writable-directories.ts';

/** What can be asked for; `auto` takes an earlier request back. */
export const REQUESTED_STRATEGIES = ['auto', ...STRATEGIES.filter((each) => each !== 'direct')] as const;
export type RequestedStrategy = 'auto' | Strategy;

/** `where` names it for the message. @throws ForeignError `usage` for a name that no strategy has. */
export function parseRequestedStrategy(name: string, where: string): RequestedStrategy {
  if (name === 'auto' || (isStrategy(name) && name !== 'direct')) return name;
  throw new ForeignError(`${where}: there is no strategy ${name}`, {
    code: 'usage',
    hint: `name one of: ${REQUESTED_STRATEGIES.join(', ')}`,
    exitCode: 125,
  });
}

/**
 * Adds what is saved for the program, else what the environment has for all, unless a strategy is asked for now.
 * @throws ForeignError `usage`.
 */
export async function withRequestedStrategy(program: ProgramFile, context: Context): Promise<Context> {
  if (context.requested !== undefined) return context;
  const saved = readStrategy(await allDirectories(context.host.uid), program.path);
  if (saved !== undefined) return { ...context, requested: saved };
  const name = context.env['NIX_RUN_FOREIGN_STRATEGY'];
  return name ? { ...context, requested: parseRequestedStrategy(name, 'NIX_RUN_FOREIGN_STRATEGY') } : context;
}

function requestedStrategy({ requested }: Context): Strategy | undefined {
  return requested === 'auto' ? undefined : requested;
}

/** Damaged or gone since: then it is no program that reads itself. */
function readsItself(program: DynamicProgram, bundled: readonly string[]): string | undefined {
  const packed = packedBy(program);
  if (packed !== undefined) return packed;
  return whyItReadsItself([program.path, ...bundled]);
}

function packedBy(program: DynamicProgram): string | undefined {
  try {
    const source = openFileSource(program.path);
    try {
      return selfReader(source, program.elf);
    } finally {
      source.close();
    }
  } catch {
    return undefined;
  }
}

/**
 * The strategy for a program with this loader, and why. `whyNo` is asked only where /proc/self/exe must be kept.
 */
export function strategyOf(
  program: DynamicProgram,
  { loader, objects }: Pick<VerifiedSet, 'loader' | 'objects'>,
  context: Context,
  whyNo: NonNullable<Situation['whyNo']>,
): StrategyChoice {
  const interpreter = inspectInterpreter(program.interpreter);
  return chooseStrategy({
    interpreter,
    libc: libcVersionOf(loader),
    machine: launcherMachine(program, interpreter, context),
    isServedAlone: isServedAlone(program, interpreter),
    wanted: requestedStrategy(context),
    byBinfmt: context.byBinfmt === true || ruleTaking(program.path, program.elf) !== undefined,
    readsItself: readsItself(program, bundledOf(objects, context)),
    relative: relativeOf(program.path, context),
    startsOthers: startsOthers(program.path),
    neededPath: firstNeededPath(program),
    whyNo,
  });
}

function firstNeededPath({ plainNames }: DynamicProgram): string | undefined {
  const [name] = plainNames?.keys() ?? [];
  return name === undefined ? undefined : pathOfElfString(name);
}

function isServedAlone({ elf }: DynamicProgram, { path }: Interpreter): boolean {
  const ofChildren = interpreterOfChildren(path, findMachine(elf)).path;
  return ofChildren !== path && isVacant(ofChildren);
}

/** The launcher that sits there already may be for another machine. */
function launcherMachine(
  { elf }: DynamicProgram,
  { kind, realPath }: Interpreter,
  context: Context,
): Situation['machine'] {
  const sits = kind === 'launcher' && realPath !== undefined ? elfFileAt(realPath) : undefined;
  if (sits !== undefined && !sameMachine(sits, elf)) return 'other';
  const [own] = context.host.hostMachines;
  if (own !== undefined && findMachine(elf) !== undefined && sameMachine(own, elf)) return 'own';
  return launcherForMachine(context, elf) === undefined ? 'other' : 'beside';
}

/** A foreign program that it may start: itself, or one beside it. */
function relativeOf(program: string, { env }: Context): string | undefined {
  return startsItselfByName(program) ? program : foreignRelative(program, env);
}

function bundledOf(objects: VerifiedSet['objects'], { location }: Context): string[] {
  return objects
    .map(({ path: file }) => file)
    .filter((file) => file !== undefined && !file.startsWith(`${location.storeDir}/`))
    .flatMap((file) => (file === undefined ? [] : realPath(file)))
    .filter((file) => !file.startsWith(`${location.storeDir}/`));
}

/** What a plan says of the ways that were tried when it was made. */
export function asPlanned({ strategy }: LaunchPlan): NonNullable<Situation['whyNo']> {
  return {
    view: () => (strategy === 'view' ? undefined : 'none can be made here'),
    namespace: () => (strategy === 'namespace' ? undefined : 'none can be made here'),
    copy: () => (strategy === 'patched' ? undefined : 'none could be made'),
  };
}

/** A plan that was made under another request is made again; without one it stays as it is. */
export function isAsRequested(plan: LaunchPlan, program: DynamicProgram, context: Context): boolean {
  const wanted = requestedStrategy(context);
  if (wanted === undefined || plan.strategy === wanted) return true;
  if (program.plainNames !== undefined) return wanted !== 'patched' && wanted !== 'view';
  if (plan.loader === undefined) return true;
  if (wanted === 'view' || wanted === 'namespace' || wanted === 'patched') return false;
  return (
    strategyOf(program, { loader: plan.loader, objects: [] }, context, asPlanned(plan)).strategy ===
    plan.strategy
  );
}
