// A program and the machine it is on → the way to start it.
import { findMachine, sameMachine } from '../elf/machine.ts';
import { ForeignError } from '../errors.ts';
import { inspectInterpreter } from '../launch/interpreter.ts';
import { isStrategy, type LaunchPlan, STRATEGIES } from '../launch/plan.ts';
import { chooseStrategy, type StrategyChoice } from '../launch/strategy.ts';
import { libcVersionOf } from '../store/libc-version.ts';
import type { Context } from './context.ts';
import type { Dynamic } from './subject.ts';

/** @throws ForeignError `usage` for a name that no strategy has. */
function wantedStrategy({ env }: Context): string | undefined {
  const wanted = env['NIX_RUN_FOREIGN_STRATEGY'];
  if (wanted === undefined || wanted === '' || isStrategy(wanted)) return wanted;
  throw new ForeignError(`NIX_RUN_FOREIGN_STRATEGY: there is no strategy ${wanted}`, {
    code: 'usage',
    hint: `unset it, or name one of: ${STRATEGIES.join(', ')}`,
    exitCode: 125,
  });
}

/** The strategy for a program with this loader, and why. @throws ForeignError `usage` for an unknown wish. */
export function strategyOf(subject: Dynamic, loader: string, context: Context): StrategyChoice {
  const own = context.surroundings.hostMachines[0];
  const machine = findMachine(subject.elf);
  return chooseStrategy({
    interpreter: inspectInterpreter(subject.interpreter),
    libc: libcVersionOf(loader),
    machine: own !== undefined && machine !== undefined && sameMachine(own, machine) ? 'own' : 'other',
    wanted: wantedStrategy(context),
  });
}

/** A plan that was made under another wish is made again; without a wish it stays as it is. */
export function isAsWanted(plan: LaunchPlan, subject: Dynamic, context: Context): boolean {
  if (!wantedStrategy(context) || plan.loader === undefined) return true;
  return strategyOf(subject, plan.loader, context).strategy === plan.strategy;
}
