// `nix-foreign resolve PROGRAM`: makes the launch plan, and says in one line what it is.

import type { Place } from '../host/directories.ts';
import { notice, printJson, printOneLine } from '../host/output.ts';
import type { LaunchPlan } from '../plan/plan-format.ts';
import { keepStrategy } from '../plan/strategy.ts';
import { inspectProgram } from '../program/inspect-program.ts';
import { parseWish, type Wish } from '../resolve/choose-strategy.ts';
import type { Context } from '../resolve/context.ts';
import { type How, planProgram } from '../resolve/resolve-program.ts';
import { inSystemPlace, inUsablePlace, places } from '../resolve/writable-directories.ts';

/** Makes the plan; what the launcher asks for. */
export async function resolve(
  given: string,
  context: Context,
  how: How,
  forWhom: 'user' | 'everybody' = 'user',
): Promise<LaunchPlan> {
  const program = inspectProgram(given, context.surroundings);
  const inPlace = forWhom === 'everybody' ? inSystemPlace : inUsablePlace;
  return await inPlace(context.surroundings.uid, async (place) => {
    const plan = await planProgram(program, context, place, how);
    if (context.wish !== undefined) await keepWish(context.wish, plan, place, context);
    return plan;
  });
}

/** What was asked for holds from now on, also where it could not be met today. */
async function keepWish(wish: Wish, plan: LaunchPlan, place: Place, context: Context): Promise<void> {
  for (const each of await places(context.surroundings.uid))
    if (each.roots !== place.roots) keepStrategy(each, plan.program, undefined);
  keepStrategy(place, plan.program, wish === 'auto' ? undefined : wish);
  if (wish !== 'auto' && wish !== plan.strategy && plan.strategy !== 'direct')
    notice(
      `${plan.program}: strategy ${wish} is not possible here, it is ${plan.strategy}; see nix-foreign explain`,
    );
}

function summary({ program, strategy, origin, files, directories }: LaunchPlan): string {
  const inFarm = files.filter((file) =>
    directories.some((directory) => file.startsWith(`${directory}/`)),
  ).length;
  if (strategy === 'direct' && origin !== undefined) return `${program}: ${origin}`;
  if (strategy === 'direct') return `${program}: needs nothing of ours, it is started directly`;
  return `${program}: ${inFarm} ${inFarm === 1 ? 'library' : 'libraries'} from the store, strategy ${strategy}`;
}

export async function resolveCommand(
  given: string,
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
  const how: How = options.refresh ? 'refresh' : rehash ? 'rehash' : 'as-needed';
  const wishing = strategy === undefined ? {} : { wish: parseWish(strategy, '--strategy') };
  const plan = await resolve(given, { ...context, ...wishing }, how, options.system ? 'everybody' : 'user');
  if (options.json) printJson(plan);
  else printOneLine(summary(plan));
}
