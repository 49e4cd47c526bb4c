// `nix-foreign resolve PROGRAM`: makes the launch plan, and says in one line what it is.
import { inspectProgram } from '../candidates/program.ts';
import type { LaunchPlan } from '../launch/plan.ts';
import type { Context } from '../pipeline/context.ts';
import { type How, planProgram } from '../pipeline/plan-program.ts';
import { inSystemPlace, inUsablePlace } from '../pipeline/usable-place.ts';
import { printJson, printOneLine } from '../platform/print.ts';

/** Makes the plan; what the launcher asks for. */
export async function resolve(
  given: string,
  context: Context,
  how: How,
  forWhom: 'user' | 'everybody' = 'user',
): Promise<LaunchPlan> {
  const program = inspectProgram(given, context.surroundings);
  const inPlace = forWhom === 'everybody' ? inSystemPlace : inUsablePlace;
  return await inPlace(context.surroundings.uid, (place) => planProgram(program, context, place, how));
}

function summary({ program, strategy, files, directories }: LaunchPlan): string {
  const inFarm = files.filter((file) =>
    directories.some((directory) => file.startsWith(`${directory}/`)),
  ).length;
  if (strategy === 'direct') return `${program}: needs nothing of ours, it is started directly`;
  return `${program}: ${inFarm} ${inFarm === 1 ? 'library' : 'libraries'} from the store, strategy ${strategy}`;
}

export async function resolveCommand(
  given: string,
  options: { json?: boolean; refresh?: boolean; rehash?: boolean; system?: boolean },
  context: Context,
): Promise<void> {
  const how: How = options.refresh ? 'refresh' : options.rehash ? 'rehash' : 'as-needed';
  const plan = await resolve(given, context, how, options.system ? 'everybody' : 'user');
  if (options.json) printJson(plan);
  else printOneLine(summary(plan));
}
