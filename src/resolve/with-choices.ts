// A change of a program's choices → saved with it and planned by, or everything as it was.

import { type Choices, digestOfChoices, hasChoices, NO_CHOICES } from '../choices/choices.ts';
import { choicesFile, readChoices, saveChoices } from '../choices/choices-file.ts';
import type { Directories } from '../host/directories.ts';
import { withLock } from '../host/mutex.ts';
import { debug } from '../host/output.ts';
import { markDecided, unmarkUndecided } from '../plan/own-decisions.ts';
import { outdatePlan, removePlan } from '../plan/plan-files.ts';
import { planKey } from '../plan/plan-format.ts';
import type { ProgramFile } from '../program/inspect-program.ts';
import type { Context } from './context.ts';
import { resolveProgram } from './resolve-program.ts';
import { allDirectories } from './writable-directories.ts';

/** The choices of the moment → what they are to be. */
export type ChoiceChange = (earlier: Choices) => Choices;

interface ChoicePlace {
  readonly context: Context;
  readonly dirs: Directories;
}

/** What was saved, and what was before. */
interface ChangedChoices {
  readonly choices: Choices;
  readonly earlier: Choices;
}

/**
 * First the plan is out of date, then the choices change: whatever ends us in between, no start follows a plan of old
 * choices.
 */
async function replaceChoices(
  program: ProgramFile,
  change: ChoiceChange,
  { context, dirs }: ChoicePlace,
): Promise<ChangedChoices> {
  const key = planKey(program.path);
  return await withLock(`${dirs.locks}/${key}`, async () => {
    const all = await allDirectories(context.host.uid);
    const earlier = (await readChoices(all, program.path, key))?.choices ?? NO_CHOICES;
    const choices = change(earlier);
    if (hasChoices(choices)) markDecided(dirs, program.path);
    for (const each of all) {
      if (each.cache !== dirs.cache) removePlan(each, program.path);
      if (each.state !== dirs.state) await saveChoices(each, program.path, key, undefined);
    }
    outdatePlan(dirs, program.path, choicesFile(dirs, key));
    await saveChoices(dirs, program.path, key, choices);
    for (const each of [dirs, ...all]) unmarkUndecided(each, program.path);
    return { choices, earlier };
  });
}

/**
 * Changes the choices as they are now, plans the program by them, and returns what was saved. Where that fails they are
 * as before, but for what somebody wrote by hand meanwhile. One process after the other: planning can take minutes.
 * @throws ForeignError with the reason where no plan is possible with the choices.
 */
export async function chooseFor(
  program: ProgramFile,
  change: ChoiceChange,
  place: ChoicePlace,
): Promise<Choices> {
  const { context, dirs } = place;
  return await withLock(`${dirs.locks}/choose-${planKey(program.path)}`, async () => {
    const { choices, earlier } = await replaceChoices(program, change, place);
    try {
      await resolveProgram(program, context, dirs, 'refresh');
      return choices;
    } catch (error) {
      debug('the choices cannot be planned by; the earlier ones come back');
      const ours = digestOfChoices(choices);
      await replaceChoices(program, (now) => (digestOfChoices(now) === ours ? earlier : now), place);
      throw error;
    }
  });
}
