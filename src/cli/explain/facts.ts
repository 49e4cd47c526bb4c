// A program → its plan, what the loader will load for it, and the story behind, while the store's catalogue is open.

import { type Choices, NO_CHOICES } from '../../choices/choices.ts';
import { layOutAndVerify, type VerifiedSet } from '../../farm/verify-set.ts';
import type { Fingerprint } from '../../fingerprint/fingerprint.ts';
import { readSavedFingerprint } from '../../fingerprint/saved-fingerprints.ts';
import type { Place } from '../../host/directories.ts';
import { ForeignError } from '../../host/errors.ts';
import { debug } from '../../host/output.ts';
import { simulateStart } from '../../ldso/simulate-start.ts';
import type { LoadTrace } from '../../ldso/simulation/trace.ts';
import type { LaunchPlan } from '../../plan/plan-format.ts';
import { inspectProgram, type Program } from '../../program/inspect-program.ts';
import { withRequestedStrategy } from '../../resolve/choose-strategy.ts';
import type { Context } from '../../resolve/context.ts';
import { choicesOfProgram, type Dynamic, dynamicOf } from '../../resolve/dynamic-program.ts';
import { planProgram } from '../../resolve/resolve-program.ts';
import { inUsablePlace } from '../../resolve/writable-directories.ts';
import { openStore } from '../../store/open-catalogue.ts';
import { type CandidateReport, candidateReportOf } from './candidates.ts';
import { loadMap, type MapEntry } from './load-map.ts';

/** What is known of a program that is started directly. */
export interface DirectFacts {
  readonly program: Program;
  readonly plan: LaunchPlan;
  readonly place: Place;
}

export interface DynamicFacts extends DirectFacts {
  readonly subject: Dynamic;
  readonly fingerprint: Fingerprint;
  readonly proven: VerifiedSet;
  /** In load order. */
  readonly map: readonly MapEntry[];
  /** What the simulated loader does; the map is what the real one does. */
  readonly trace: LoadTrace;
  readonly choices: Choices;
  /** With the strategy that is kept for the program. */
  readonly context: Context;
  /** Undefined where the store cannot be looked at, or no longer offers the set. */
  readonly report: CandidateReport | undefined;
}

export type Facts = DirectFacts | DynamicFacts;

async function verifiedSet(subject: Dynamic, plan: LaunchPlan, place: Place, context: Context) {
  const { program } = subject;
  const { storeDir } = context.location;
  const saved =
    plan.root === undefined ? undefined : await readSavedFingerprint(plan.root, plan.sha256 ?? '', storeDir);
  const fingerprint = saved?.fingerprint;
  const proven =
    fingerprint &&
    (await layOutAndVerify(fingerprint, program.path, subject.libc, place.farms, { libraryPathDirs: program.libraryPathDirs }));
  if (proven?.kind === 'rejected') {
    throw new ForeignError(`${program.given}: the loader refuses its set now: ${proven.complaints[0]}`, {
      code: 'rejected',
      hint: `name the LD_LIBRARY_PATH that it is started with, if there is one; or: nix-foreign resolve --refresh ${program.given}`,
      exitCode: 125,
    });
  }
  if (fingerprint === undefined || proven?.kind !== 'proven') {
    throw new ForeignError(`${program.given}: what was planned for it changed just now`, {
      code: 'changed',
      hint: `try again: nix-foreign explain ${program.given}`,
      exitCode: 125,
    });
  }
  const trace = simulateStart(
    { path: program.path, elf: subject.elf },
    subject.libc,
    proven.loader,
    proven.askedPath,
  );
  return { fingerprint, proven, trace, map: loadMap(program, proven, fingerprint, storeDir, trace) };
}

/** Without the store there is still the plan to tell of. */
async function openedStore(place: Place, context: Context) {
  try {
    return await openStore(place.catalogues, context.location);
  } catch (error) {
    debug(`the alternatives are left out: ${String(error)}`);
    return undefined;
  }
}

/** Resolves the program if need be, gathers everything, and hands it to `tell`. */
export async function withFacts<T>(given: string, context: Context, tell: (facts: Facts) => T): Promise<T> {
  const program = inspectProgram(given, context.host);
  return await inUsablePlace(context.host.uid, async (place) => {
    const plan = await planProgram(program, context, place, 'as-needed');
    const subject = dynamicOf(program);
    if (subject === undefined) return tell({ program, plan, place });
    const set = await verifiedSet(subject, plan, place, context);
    const choices = (await choicesOfProgram(program, context))?.choices ?? NO_CHOICES;
    const catalogue = await openedStore(place, context);
    try {
      const report = catalogue && candidateReportOf(subject, set.fingerprint, catalogue, choices);
      return tell({
        program,
        plan,
        place,
        subject,
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
