// A program without a saved fingerprint → its plan by one that came from elsewhere, if one serves.
import { configurationFiles, readConfiguration } from '../config/load-config.ts';
import { programPart } from '../fingerprint/fingerprint.ts';
import { ForeignError } from '../host/errors.ts';
import { debug, notice } from '../host/output.ts';
import { fetchMode } from './context.ts';
import {
  type FingerprintSearch,
  type FoundFingerprint,
  findFingerprints,
  type TrustedFound,
} from './find-fingerprint.ts';
import type { Job, LastResort, Resolution } from './job.ts';
import type { UsedFingerprint } from './use-fingerprint.ts';

type Lost = Exclude<FoundFingerprint, { kind: 'trusted' }> &
  Pick<Extract<UsedFingerprint, { kind: 'refused' }>, 'cause'>;

function sentenceOf(typedName: string, { kind, where, why }: Lost): string {
  if (kind === 'unreachable') return `${typedName}: the source ${where} cannot be asked: ${why}`;
  return `${typedName}: the fingerprint of ${where} is not used: ${why}`;
}

/** Where it was said: by `resolve --strict`, or by a variable or file. */
type Strictness = 'option' | 'setting';

const LEFT_OUT: Readonly<Record<Strictness, string>> = {
  option: 'leave --strict out',
  setting: 'take strict away (nix-foreign config says where it is set)',
};

function remedyOf({ kind, cause }: Lost): string {
  if (kind === 'unreachable') return 'try again when it answers';
  return cause === 'not-allowed' ? 'let it be fetched' : 'mend or remove that fingerprint';
}

export function failureOfStrict(typedName: string, lost: Lost, said: Strictness): ForeignError {
  return new ForeignError(sentenceOf(typedName, lost), {
    code: lost.kind === 'unreachable' ? 'source-unreachable' : 'fingerprint-refused',
    hint: `${remedyOf(lost)}, or ${LEFT_OUT[said]}: then the store is searched`,
    exitCode: 126,
  });
}

/** The configuration is read anew for each program. @throws ForeignError `configuration`. */
export async function openSearch(job: Job): Promise<FingerprintSearch> {
  const { program, sha256, context } = job;
  const files = await configurationFiles(context.host);
  const { settings, warnings } = await readConfiguration(files, context.env);
  for (const warning of warnings) notice(warning);
  const strict = settings.strict || context.strict === true;
  const effective = { ...settings, strict, fetch: fetchMode(context, settings) };
  return { ...job, identity: programPart(program, sha256), settings: effective };
}

/** A Nix that does not answer, or a set that cannot be laid out, is no reason not to search the store. */
async function useOrSay(found: TrustedFound, search: FingerprintSearch): Promise<UsedFingerprint> {
  const { useFingerprint } = await import('./use-fingerprint.ts');
  try {
    return await useFingerprint(found, search);
  } catch (error) {
    if (error instanceof ForeignError) return { kind: 'refused', why: error.message };
    throw error;
  }
}

/** Whatever the driver needs. */
async function useAnyway(found: TrustedFound, search: FingerprintSearch): Promise<Resolution | undefined> {
  const used = await useOrSay(found, search);
  if (used.kind === 'planned' || used.kind === 'changed') return used;
  notice(sentenceOf(search.program.typedName, { ...used, kind: 'refused', where: found.where }));
  return undefined;
}

/**
 * Tries one fingerprint after the other. What does not serve is said in one line each.
 * @returns undefined where none serves: the store is searched then. A last resort where that is for the driver only;
 * with the setting `strict` such a one is used.
 * @throws ForeignError `fingerprint-refused` or `source-unreachable` instead, with the setting `strict`.
 */
export async function planFromFoundFingerprint(
  search: FingerprintSearch,
): Promise<Resolution | LastResort | undefined> {
  const { typedName } = search.program;
  const { unservedDrivers: _, ...anyway } = search;
  const choosy: FingerprintSearch = search.settings.strict
    ? anyway
    : { ...search, unservedDrivers: 'refused' };
  const lost: Lost[] = [];
  let resort: LastResort | undefined;
  for await (const found of findFingerprints(search)) {
    if (found.kind !== 'trusted') {
      lost.push(found);
      continue;
    }
    debug(`the fingerprint of ${found.where} is trusted`);
    const used = await useOrSay(found, choosy);
    if (used.kind === 'unserving') {
      const sentence = sentenceOf(typedName, { ...used, kind: 'refused', where: found.where });
      const farewell = `${sentence}; a set of the store serves it`;
      resort ??= { ...used, anyway: () => useAnyway(found, search), farewell };
      continue;
    }
    if (used.kind === 'refused') {
      lost.push({ ...used, where: found.where });
      continue;
    }
    for (const each of lost) notice(sentenceOf(typedName, each));
    return used;
  }
  const [first] = lost;
  if (search.settings.strict && first !== undefined)
    throw failureOfStrict(typedName, first, search.context.strict === true ? 'option' : 'setting');
  for (const each of lost) {
    notice(`${sentenceOf(typedName, each)}${each === lost.at(-1) ? '; the store is searched instead' : ''}`);
  }
  return resort;
}
