// `nix-foreign resolve PROGRAM`: makes the launch plan, and says in one line what it is.

import { findMachine } from '../elf/machine.ts';
import type { Directories } from '../host/directories.ts';
import { notice, printJson, printOneLine } from '../host/output.ts';
import { decideStrategy } from '../plan/own-decisions.ts';
import type { LaunchPlan } from '../plan/plan-format.ts';
import { inspectInterpreter } from '../plan/strategy.ts';
import { inspectProgram } from '../program/inspect-program.ts';
import { parseRequestedStrategy, type RequestedStrategy } from '../resolve/choose-strategy.ts';
import type { Context } from '../resolve/context.ts';
import type { ResolveMode } from '../resolve/job.ts';
import { resolveProgram } from '../resolve/resolve-program.ts';
import {
  allDirectories,
  inSystemDirectories,
  inWritableDirectories,
} from '../resolve/writable-directories.ts';

/** Makes the plan; what the launcher asks for. */
export async function resolve(
  typedName: string,
  context: Context,
  mode: ResolveMode,
  forWhom: 'user' | 'everybody' = 'user',
): Promise<LaunchPlan> {
  const program = inspectProgram(typedName, context.host);
  const inPlace = forWhom === 'everybody' ? inSystemDirectories : inWritableDirectories;
  return await inPlace(context.host.uid, async (dirs) => {
    const plan = await resolveProgram(program, context, dirs, mode);
    if (context.requested !== undefined) await saveRequested(context.requested, plan, dirs, context);
    return plan;
  });
}

/** What was asked for holds from now on, also where it could not be met today. */
async function saveRequested(
  requested: RequestedStrategy,
  plan: LaunchPlan,
  dirs: Directories,
  context: Context,
): Promise<void> {
  const others = (await allDirectories(context.host.uid)).filter(({ roots }) => roots !== dirs.roots);
  await decideStrategy(plan.program, requested === 'auto' ? undefined : requested, dirs, others);
  if (requested !== 'auto' && requested !== plan.strategy && plan.strategy !== 'direct')
    notice(
      `${plan.program}: strategy ${requested} is not possible here, it is ${plan.strategy}; see nix-foreign explain`,
    );
}

/** A prefix helps the interpreter; the programs that a script starts have none. */
function summaryOfScript({ program, origin, strategy }: LaunchPlan, { host }: Context): string {
  const started = origin ?? 'a script, started directly by its interpreter';
  if (strategy === 'view')
    return `${program}: ${started}, with what its foreign programs need, strategy view`;
  const [own] = host.hostMachines.flatMap((each) => findMachine(each) ?? []);
  const kind = own === undefined ? undefined : inspectInterpreter(own.interpreter).kind;
  return kind === 'launcher' || kind === 'nix-ld'
    ? `${program}: ${started}; foreign programs that it starts find ${kind === 'launcher' ? 'the launcher' : kind} at ${own?.interpreter}`
    : `${program}: ${started}; foreign programs that it starts need a way of their own: nix-foreign doctor says which there are`;
}

function summary(plan: LaunchPlan): string {
  const { program, strategy, origin, loader, files, directories, auditModule } = plan;
  const inFarm = files.filter(
    (file) => file !== auditModule && directories.some((directory) => file.startsWith(`${directory}/`)),
  ).length;
  if (strategy === 'direct' && origin !== undefined) return `${program}: ${origin}`;
  if (strategy === 'direct') return `${program}: needs nothing of ours, it is started directly`;
  if (strategy === 'view' && loader === undefined)
    return `${program}: ${origin ?? 'needs no library of ours'}, with what its foreign programs need, strategy view`;
  return `${program}: ${inFarm} ${inFarm === 1 ? 'library' : 'libraries'} from the store, strategy ${strategy}`;
}

function isScript(typedName: string, { host }: Context): boolean {
  return inspectProgram(typedName, host).kind.kind === 'script';
}

export async function resolveCommand(
  typedName: string,
  options: {
    json?: boolean;
    refresh?: boolean;
    rehash?: boolean;
    system?: boolean;
    strategy?: string | undefined;
  },
  context: Context,
): Promise<void> {
  const { strategy } = options;
  const rehash = options.rehash || strategy !== undefined;
  const mode: ResolveMode = options.refresh ? 'refresh' : rehash ? 'rehash' : 'as-needed';
  const requesting =
    strategy === undefined ? {} : { requested: parseRequestedStrategy(strategy, '--strategy') };
  const plan = await resolve(
    typedName,
    { ...context, ...requesting },
    mode,
    options.system ? 'everybody' : 'user',
  );
  if (options.json) printJson(plan);
  else if (isScript(typedName, context)) printOneLine(summaryOfScript(plan, context));
  else printOneLine(summary(plan));
}
