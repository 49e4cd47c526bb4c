// A program without a record → its plan by a fingerprint that came from elsewhere, if there is one that serves.
import { configurationFiles, readConfiguration } from '../configuration/configuration.ts';
import { ForeignError } from '../errors.ts';
import { programPart } from '../fingerprint/from-solution.ts';
import type { LaunchPlan } from '../launch/plan.ts';
import type { Place } from '../platform/places.ts';
import { debug, notice } from '../platform/report.ts';
import { type PinnerSupply, supplyPinners } from '../roots/pinner-supply.ts';
import { arrivals, type Search } from './arrivals.ts';
import type { Context } from './context.ts';
import { type Dynamic, rootFile } from './subject.ts';

function unusable(given: string, { where, why }: { where: string; why: string }): string {
  return `${given}: the fingerprint of ${where} is not used: ${why}`;
}

/** Everything a search needs; the configuration is read anew for each program. @throws ForeignError `configuration`. */
export async function openSearch(
  subject: Dynamic,
  sha256: string,
  context: Context,
  place: Place,
  pinners?: PinnerSupply,
): Promise<Search> {
  const files = await configurationFiles(context.surroundings.uid);
  const { settings, warnings } = await readConfiguration(files, context.env);
  for (const warning of warnings) notice(warning);
  const strict = settings.strict || context.strict === true;
  const program = programPart(subject.program, sha256);
  const link = rootFile(place, sha256, subject.program);
  return {
    subject,
    program,
    context,
    place,
    settings: { ...settings, strict },
    pinners: pinners ?? supplyPinners(context.nix, link, 'later'),
  };
}

/**
 * Tries one fingerprint after the other. What does not serve is said in one line each.
 * @returns undefined where none serves: the store is searched then.
 * @throws ForeignError `fingerprint-refused` instead, with the setting `strict`, where there was one.
 */
export async function planFromElsewhere(search: Search): Promise<LaunchPlan | undefined> {
  const { given } = search.subject.program;
  const refusals: { where: string; why: string }[] = [];
  for await (const arrival of arrivals(search)) {
    if (arrival.kind === 'refused') {
      refusals.push(arrival);
      continue;
    }
    debug(`the fingerprint of ${arrival.where} is believed`);
    const { adopt } = await import('./adopt.ts');
    const adopted = await adopt(arrival, search);
    if (adopted.kind === 'refused') {
      refusals.push({ where: arrival.where, why: adopted.why });
      continue;
    }
    for (const refusal of refusals) notice(unusable(given, refusal));
    return adopted.plan;
  }
  const [first] = refusals;
  if (search.settings.strict && first !== undefined) {
    throw new ForeignError(unusable(given, first), {
      code: 'fingerprint-refused',
      hint: 'correct or remove it; without strict the store is searched instead',
      exitCode: 126,
    });
  }
  const instead = '; the store is searched instead';
  for (const refusal of refusals)
    notice(`${unusable(given, refusal)}${refusal === refusals.at(-1) ? instead : ''}`);
  return undefined;
}
