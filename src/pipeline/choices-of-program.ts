// A program → the choices kept for it, wherever they could be written.
import type { Program } from '../candidates/program.ts';
import { type KeptChoices, readChoices } from '../choices/kept-choices.ts';
import { planKey } from '../launch/plan-key.ts';
import type { Context } from './context.ts';
import { places } from './usable-place.ts';

/** Looks in every place: choices hold although the plan may have to be written elsewhere today. */
export async function choicesOfProgram(
  program: Program,
  { surroundings }: Context,
): Promise<KeptChoices | undefined> {
  return await readChoices(await places(surroundings.uid), program.path, planKey(program.path));
}
