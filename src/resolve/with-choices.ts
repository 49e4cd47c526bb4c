// New choices for a program → saved with it and planned by, or everything as it was.

import type { Choices } from '../choices/choices.ts';
import { saveChoices } from '../choices/choices-file.ts';
import type { Directories } from '../host/directories.ts';
import { withLock } from '../host/mutex.ts';
import { debug } from '../host/output.ts';
import { removePlan } from '../plan/plan-files.ts';
import { type LaunchPlan, planKey } from '../plan/plan-format.ts';
import type { ProgramFile } from '../program/inspect-program.ts';
import type { Context } from './context.ts';
import { resolveProgram } from './resolve-program.ts';
import { allDirectories } from './writable-directories.ts';

/**
 * First the plan goes, then the choices change: whatever ends us in between, no start follows a plan of old choices.
 */
async function replaceChoices(
  program: ProgramFile,
  choices: Choices | undefined,
  context: Context,
  dirs: Directories,
): Promise<void> {
  const key = planKey(program.path);
  await withLock(`${dirs.locks}/${key}`, async () => {
    for (const each of await allDirectories(context.host.uid)) {
      removePlan(each, program.path);
      if (each.state !== dirs.state) await saveChoices(each, program.path, key, undefined);
    }
    await saveChoices(dirs, program.path, key, choices);
  });
}

/** The choices before and after, and where they are saved. */
interface ChoiceChange {
  readonly choices: Choices;
  readonly earlier: Choices | undefined;
  readonly context: Context;
  readonly dirs: Directories;
}

/**
 * Keeps choices and plans the program by them. `earlier` comes back when that fails.
 * @throws ForeignError with the reason where no plan is possible with the choices.
 */
export async function chooseFor(
  program: ProgramFile,
  { choices, earlier, context, dirs }: ChoiceChange,
): Promise<LaunchPlan> {
  await replaceChoices(program, choices, context, dirs);
  try {
    return await resolveProgram(program, context, dirs, 'refresh');
  } catch (error) {
    debug('the choices cannot be planned by; the earlier ones come back');
    await replaceChoices(program, earlier, context, dirs);
    throw error;
  }
}
