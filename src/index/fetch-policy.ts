// What a fetch would bring, the user's limits, and the room there is → go on, ask, or leave it.
import { statfsSync } from 'node:fs';
import type { Settings } from '../config/settings.ts';
import { fileWord } from '../host/shell-words.ts';
import type { FetchPreview } from '../store/preview-fetch.ts';
import { nameOfStoreObject } from '../store/store-location.ts';

export interface FetchPolicy {
  /** `ask`: only above the limit. */
  readonly fetch: 'ask' | 'always' | 'never';
  /** Bytes of download without a question, in sum for one resolution. */
  readonly limit: number;
  /** Bytes that earlier rounds of this resolution downloaded. */
  readonly spent: number;
  /** A command that fetches in spite of the settings; `nix-foreign resolve --fetch PROGRAM` where left out. */
  readonly allow?: string;
}

const MIB = 1 << 20;

/** The policy of the settings. `spent`: bytes of earlier rounds. */
export function policyBy(settings: Pick<Settings, 'fetch' | 'fetch-limit'>, spent = 0): FetchPolicy {
  return { fetch: settings.fetch, limit: settings['fetch-limit'] * MIB, spent };
}

/** What was tried in one round, and lacked something that a cache had told of. */
interface EarlierAttempts {
  /** Store paths that the settings or the user allowed. */
  readonly allowed: ReadonlySet<string>;
  /** Bytes. */
  readonly spent: number;
}

/** A policy after attempts: what they downloaded counts, and what was allowed is not asked for again. */
export function policyAfter(
  policy: FetchPolicy,
  { allowed, spent }: EarlierAttempts,
  { paths }: FetchPreview,
): FetchPolicy {
  const isAllowed = allowed.size > 0 && paths.every((each) => allowed.has(each));
  return { ...policy, fetch: isAllowed ? 'always' : policy.fetch, spent: policy.spent + spent };
}

type FetchDecision =
  | { readonly kind: 'go' }
  | { readonly kind: 'ask'; readonly question: string }
  /** One line of cause, one of remedy. */
  | { readonly kind: 'refuse'; readonly why: string; readonly remedy: string };

/** `15.6 MiB`. */
export function inBinaryUnits(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let [value, unit] = [bytes, 0];
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

/** Bytes that a user may still write to the file system of a store; undefined where nobody can tell. */
export function freeSpace(storeDir: string): number | undefined {
  try {
    const { bavail, bsize } = statfsSync(storeDir);
    return bavail * bsize;
  } catch {
    return undefined;
  }
}

/** Names of the glibcs that would come: the program may get another than the rest of the machine has. */
export function glibcsIn({ paths }: FetchPreview): string[] {
  return paths.map(nameOfStoreObject).filter((name) => /^glibc-\d[^-]*(-\d+)?$/.test(name));
}

function countOf(preview: FetchPreview): string {
  const { length } = preview.paths;
  const glibcs = glibcsIn(preview).join(', ');
  if (length === 1) return '1 package that is';
  return `${length} packages${glibcs === '' ? '' : ` (${glibcs} among them)`} that are`;
}

function refusal(why: string, remedy: string): FetchDecision {
  return { kind: 'refuse', why, remedy };
}

/** What to type for a fetch that the settings are against. */
export function allowing(program: string, { allow }: FetchPolicy): string {
  return allow ?? `nix-foreign resolve --fetch ${fileWord(program)}`;
}

/**
 * Decides. `program` is how the program is called in messages; `room` what `freeSpace` says; `canAsk` whether somebody
 * sits at a terminal (ask-on-terminal.ts).
 */
export function decideFetch(
  program: string,
  preview: FetchPreview,
  policy: FetchPolicy,
  { room, canAsk }: { readonly room: number | undefined; readonly canAsk: boolean },
): FetchDecision {
  const [download, unpacked] = [preview.download, preview.unpacked].map(inBinaryUnits);
  const before = policy.spent === 0 ? '' : ` after ${inBinaryUnits(policy.spent)} that came before`;
  const sizes = `${download} to download${before}, ${unpacked} unpacked`;
  const needs = `${program} needs ${countOf(preview)} not in the store: ${sizes}`;
  const allow = allowing(program, policy);
  if (policy.fetch === 'never') {
    return refusal(`${needs}; fetching is off`, `allow it once: ${allow}`);
  }
  if (room !== undefined && room < preview.unpacked * 1.1) {
    return refusal(
      `${needs}; the store has room for ${inBinaryUnits(room)}`,
      'make room: nix-collect-garbage',
    );
  }
  if (policy.fetch === 'always' || policy.spent + preview.download <= policy.limit) return { kind: 'go' };
  if (canAsk) return { kind: 'ask', question: `${needs}. Fetch them? [Y/n] ` };
  const more = `${before === '' ? '' : 'in sum '}more than the limit of ${inBinaryUnits(policy.limit)}`;
  return refusal(`${needs}, ${more}`, `allow it: ${allow}, or fetch-limit in config.toml`);
}
