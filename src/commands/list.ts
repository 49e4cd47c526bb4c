// `nix-foreign list`: every program that has a launch plan, and whether the plan still holds.
import { listPlans, whyNotCurrent } from '../launch/plan-files.ts';
import type { Context } from '../pipeline/context.ts';
import { places } from '../pipeline/usable-place.ts';
import { printJson, printLine } from '../platform/print.ts';
import { printableLine } from '../platform/terminal-text.ts';

export async function listCommand(options: { json?: boolean }, context: Context): Promise<void> {
  const { uid } = context.surroundings;
  const rows = (await places(uid))
    .flatMap((place) => listPlans(place))
    .map((plan) => ({
      program: plan.program,
      strategy: plan.strategy,
      state: whyNotCurrent(plan, uid) ?? 'ready',
      root: plan.root ?? null,
      sha256: plan.sha256 ?? null,
    }));
  if (options.json) printJson(rows);
  else printLine(tableOf(rows));
}

interface Row {
  readonly program: string;
  readonly strategy: string;
  readonly state: string;
}

function tableOf(rows: readonly Row[]): string {
  if (rows.length === 0) return 'no program was started yet; start one with: nix-run-foreign PROGRAM';
  const width = Math.max(...rows.map(({ strategy }) => strategy.length));
  return rows
    .map(({ program, strategy, state }) => {
      const again = state === 'ready' ? '' : `  (the next start plans again: ${state})`;
      return printableLine(`${strategy.padEnd(width)}  ${program}${again}`);
    })
    .join('\n');
}
