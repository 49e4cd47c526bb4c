// A program without a record → its plan by a fingerprint that came from elsewhere, if there is one that serves.
import { configurationFiles, readConfiguration } from '../config/load-config.ts';
import { programPart } from '../fingerprint/fingerprint.ts';
import { type RootAdders, startRootAdders } from '../fingerprint/save-and-pin.ts';
import type { Place } from '../host/directories.ts';
import { ForeignError } from '../host/errors.ts';
import { debug, notice } from '../host/output.ts';
import type { LaunchPlan } from '../plan/plan-format.ts';
import type { Context } from './context.ts';
import { type Dynamic, rootFile } from './dynamic-program.ts';
import { type FoundFingerprint, findFingerprints, type Search } from './find-fingerprint.ts';
import type { UsedFingerprint } from './use-fingerprint.ts';

type Lost = Exclude<FoundFingerprint, { kind: 'believed' }>;
type TrustedFound = Extract<FoundFingerprint, { kind: 'believed' }>;

function sentenceOf(given: string, { kind, where, why }: Lost): string {
  if (kind === 'unreachable') return `${given}: the source ${where} cannot be asked: ${why}`;
  return `${given}: the fingerprint of ${where} is not used: ${why}`;
}

function failure(given: string, lost: Lost): ForeignError {
  return new ForeignError(sentenceOf(given, lost), {
    code: lost.kind === 'unreachable' ? 'source-unreachable' : 'fingerprint-refused',
    hint: 'mend or remove it, or take strict away (nix-foreign config says where it is set): then the store is searched',
    exitCode: 126,
  });
}

/** Everything a search needs; the configuration is read anew for each program. @throws ForeignError `configuration`. */
export async function openSearch(
  subject: Dynamic,
  sha256: string,
  context: Context,
  place: Place,
  rootAdders?: RootAdders,
): Promise<Search> {
  const files = await configurationFiles(context.host.uid);
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
    rootAdders: rootAdders ?? startRootAdders(context.nix, link, 'later'),
  };
}

/** A Nix that does not answer, or a set that cannot be laid out, is no reason not to search the store. */
async function useOrSay(found: TrustedFound, search: Search): Promise<UsedFingerprint> {
  const { useFingerprint } = await import('./use-fingerprint.ts');
  try {
    return await useFingerprint(found, search);
  } catch (error) {
    if (error instanceof ForeignError) return { kind: 'refused', why: error.message };
    throw error;
  }
}

/**
 * Tries one fingerprint after the other. What does not serve is said in one line each.
 * @returns undefined where none serves: the store is searched then.
 * @throws ForeignError `fingerprint-refused` or `source-unreachable` instead, with the setting `strict`.
 */
export async function planFromElsewhere(search: Search): Promise<LaunchPlan | undefined> {
  const { given } = search.subject.program;
  const lost: Lost[] = [];
  for await (const found of findFingerprints(search)) {
    if (found.kind !== 'believed') {
      lost.push(found);
      continue;
    }
    debug(`the fingerprint of ${found.where} is believed`);
    const used = await useOrSay(found, search);
    if (used.kind === 'refused') {
      lost.push({ kind: 'refused', where: found.where, why: used.why });
      continue;
    }
    for (const each of lost) notice(sentenceOf(given, each));
    return used.plan;
  }
  const [first] = lost;
  if (search.settings.strict && first !== undefined) throw failure(given, first);
  for (const each of lost) {
    notice(`${sentenceOf(given, each)}${each === lost.at(-1) ? '; the store is searched instead' : ''}`);
  }
  return undefined;
}
