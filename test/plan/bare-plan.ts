// A program's path → a plan that asks for nothing, to be added to.
import type { LaunchPlan } from '../../src/plan/plan-format.ts';

/** Strategy `loader`, an identity that no file has, every list empty; `more` replaces what it names. */
export function barePlan(program: string, more: Partial<LaunchPlan> = {}): LaunchPlan {
  return {
    program,
    identity: '1:2:3:4.5:6.7',
    strategy: 'loader',
    files: [],
    watched: [],
    absent: [],
    directories: [],
    environment: [],
    argv: [],
    ...more,
  };
}
