// A program → its plan, what the loader will load for it, and why, while the store's catalogue is open.

import { addedFiles, type Choices, NO_CHOICES } from '../../choices/choices.ts';
import { layOutAndVerify, type VerifiedSet } from '../../farm/verify-set.ts';
import type { Fingerprint } from '../../fingerprint/fingerprint.ts';
import { readSavedFingerprint } from '../../fingerprint/saved-fingerprints.ts';
import { type Directories, trustedSystemDirectories } from '../../host/directories.ts';
import { ForeignError } from '../../host/errors.ts';
import { debug } from '../../host/output.ts';
import { fileWord } from '../../host/shell-words.ts';
import { simulateStart } from '../../ldso/simulate-start.ts';
import type { LoadTrace } from '../../ldso/simulation/trace.ts';
import { readPlan } from '../../plan/plan-files.ts';
import type { LaunchPlan } from '../../plan/plan-format.ts';
import { inspectProgram, type ProgramFile } from '../../program/inspect-program.ts';
import { withRequestedStrategy } from '../../resolve/choose-strategy.ts';
import type { Context } from '../../resolve/context.ts';
import { choicesOfProgram, type DynamicProgram, dynamicOf, verdictOf } from '../../resolve/job.ts';
import { resolveProgram } from '../../resolve/resolve-program.ts';
import { inWritableDirectories } from '../../resolve/writable-directories.ts';
import { askingAgain } from '../../store/asking-again.ts';
import { openStore } from '../../store/open-catalogue.ts';
import { type CandidateReport, candidateReportOf } from './candidates.ts';
import { loadMap, type MapEntry } from './load-map.ts';
import { type OptionalStory, optionalStory } from './optional.ts';

/** What is known of a program that is started directly. */
interface DirectFacts {
  readonly program: ProgramFile;
  readonly plan: LaunchPlan;
  readonly dirs: Directories;
  /** Where the plan lies: `dirs`, or the place for everybody. */
  readonly place: Directories;
}

export interface DynamicFacts extends DirectFacts {
  readonly dynamic: DynamicProgram;
  readonly fingerprint: Fingerprint;
  readonly set: VerifiedSet;
  /** In load order. */
  readonly map: readonly MapEntry[];
  /** What the simulated loader does; the map is what the real one does. */
  readonly trace: LoadTrace;
  readonly choices: Choices;
  /** With the strategy that is saved for the program. */
  readonly context: Context;
  /** Undefined where the store cannot be looked at, or no longer offers the set. */
  readonly report: CandidateReport | undefined;
  readonly optional: OptionalStory;
}

export type Facts = DirectFacts | DynamicFacts;

async function verifiedSet(program: DynamicProgram, plan: LaunchPlan, dirs: Directories, context: Context) {
  const { storeDir } = context.location;
  const saved =
    plan.root === undefined ? undefined : await readSavedFingerprint(plan.root, plan.sha256 ?? '', storeDir);
  const fingerprint = saved?.fingerprint;
  const set =
    fingerprint &&
    (await layOutAndVerify(fingerprint, program, dirs.farms, {
      libraryPathDirs: program.libraryPathDirs,
      verdict: verdictOf(program, context),
    }));
  if (set?.kind === 'rejected') {
    throw new ForeignError(`${program.typedName}: the loader refuses its set now: ${set.complaints[0]}`, {
      code: 'rejected',
      hint: `name the LD_LIBRARY_PATH that it is started with, if there is one; or: nix-foreign resolve --refresh ${fileWord(program.typedName)}`,
      exitCode: 125,
    });
  }
  if (fingerprint === undefined || set?.kind !== 'verified') {
    throw new ForeignError(`${program.typedName}: what was planned for it changed just now`, {
      code: 'changed',
      hint: `try again: nix-foreign explain ${fileWord(program.typedName)}`,
      exitCode: 125,
    });
  }
  const trace = simulateStart(program, program.libc, set.loader, set.askedPath);
  return { fingerprint, set, trace, map: loadMap(program, { set, fingerprint, storeDir, trace }) };
}

/** Where the plan lies that was followed (plan/PLAN.md). */
function placeOf({ program }: LaunchPlan, dirs: Directories): Directories {
  const system = trustedSystemDirectories();
  const isThere = (each: Directories) => readPlan(each, program) !== undefined;
  return system !== undefined && !isThere(dirs) && isThere(system) ? system : dirs;
}

/** Without the store there is still the plan to tell of. */
async function openedStore(dirs: Directories, context: Context) {
  try {
    return askingAgain(await openStore(dirs.catalogues, context.location));
  } catch (error) {
    debug(`the alternatives are left out: ${String(error)}`);
    return undefined;
  }
}

/** Resolves the program if need be, gathers everything, and hands it to `tell`. */
export async function withFacts<T>(
  typedName: string,
  context: Context,
  tell: (facts: Facts) => T,
): Promise<T> {
  const program = inspectProgram(typedName, context.host);
  return await inWritableDirectories(context.host.uid, async (dirs) => {
    const plan = await resolveProgram(program, context, dirs, 'as-needed');
    const asFile = dynamicOf(program);
    const place = placeOf(plan, dirs);
    if (asFile === undefined) return tell({ program, plan, dirs, place });
    const choices = (await choicesOfProgram(program, context))?.choices ?? NO_CHOICES;
    const dynamic = { ...asFile, added: addedFiles(choices, context.location.storeDir) };
    const set = await verifiedSet(dynamic, plan, dirs, context);
    const catalogue = await openedStore(dirs, context);
    try {
      const report = catalogue && candidateReportOf(dynamic, set.fingerprint, catalogue, choices);
      const optional = optionalStory({ program: dynamic, plan, ...set, choices, catalogue }, context, place);
      return tell({
        optional,
        program,
        plan,
        dirs,
        place,
        dynamic,
        ...set,
        choices,
        report,
        context: await withRequestedStrategy(program, context),
      });
    } finally {
      catalogue?.close();
    }
  });
}
