// A planned fetch and how far it is → the lines that the user sees.
import { listText } from '../host/output.ts';
import { fileWord, shellWord } from '../host/shell-words.ts';
import type { FetchProgress } from '../store/nix-log.ts';
import { nameOfStoreObject } from '../store/store-location.ts';
import { nameOfCache } from './cache-client.ts';
import type { NotFound } from './choose-set.ts';
import { inBinaryUnits } from './fetch-policy.ts';
import type { PlannedFetch } from './plan-fetch.ts';
import type { Dropped } from './rank-matches.ts';

/** More names than fit on a line are counted. */
const MOST_NAMES = 3;

function listed(names: readonly string[]): string {
  return listText(names, MOST_NAMES);
}

/** `asking https://cache.example.org: 48 of 112 packages`. */
export function askingText(address: string, done: number, known: number): string {
  return `asking ${nameOfCache(address)}: ${done} of ${known} packages`;
}

/** `fetching libssl.so.3, libxml2.so.2 (2 packages): 12.3 of 15.6 MiB`. */
export function fetchingText({ chosen, preview }: PlannedFetch, { done, expected }: FetchProgress): string {
  const count = preview.paths.length === 1 ? '1 package' : `${preview.paths.length} packages`;
  const share = expected === 0 ? 0 : Math.min(1, done / expected);
  const far = `${inBinaryUnits(share * preview.download)} of ${inBinaryUnits(preview.download)}`;
  return `fetching ${listed(chosen.map(({ name }) => name))} (${count}): ${far}`;
}

/** `https://cache.nixos.org` → `cache.nixos.org`; a directory stays as it is. */
function hostOf(from: string): string {
  const url = URL.parse(from);
  return url === null || url.host === '' ? from.replace(/^file:\/\//, '').replace(/\?.*$/, '') : url.host;
}

/** `fetched openssl-3.5.1, libxml2-2.13.9 (15.6 MiB) from cache.nixos.org`. */
export function fetchedText({ paths, preview }: PlannedFetch, from: string): string {
  const where = from === '' ? '' : ` from ${hostOf(from)}`;
  return `fetched ${listed(paths.map(nameOfStoreObject))} (${inBinaryUnits(preview.download)})${where}`;
}

const PASSED_OVER: Readonly<Record<keyof Dropped, string>> = {
  excluded: 'excluded by your choice',
  tried: 'tried in vain',
  'in the store': 'in the store already',
  'too old': 'too old',
  unavailable: 'in no cache',
  'not asked': 'not asked for',
  system: 'for another system',
  tree: 'in a tree of another distribution, or of one program',
  output: 'in an output that is not for use',
  directory: 'in a directory that is not for use',
  'linker script': 'only a linker script',
  'dangling link': 'a link that leads nowhere',
  're-export': 'a link to another of them',
};

/** `2 excluded by your choice, 1 tried in vain`; empty where nothing was passed over. */
export function droppedText(dropped: Dropped): string {
  const reasons = Object.keys(PASSED_OVER) as (keyof Dropped)[];
  return reasons.flatMap((each) => (dropped[each] ? `${dropped[each]} ${PASSED_OVER[each]}` : [])).join(', ');
}

/** Something could have served, but for what was seen of it or said against it. */
function isRefused(dropped: Dropped): boolean {
  const refused = ['excluded', 'tried', 'unavailable', 'not asked', 'in the store', 'too old'] as const;
  return refused.some((each) => dropped[each] !== undefined);
}

function refusedText({ name, dropped }: NotFound, program: string): AbsentText {
  const count = Object.values(dropped).reduce((sum, each) => sum + each, 0);
  const where = count === 1 ? 'once, which does not serve' : `${count} times, none of which serves`;
  const choice = `take your choice back: nix-foreign choose ${fileWord(program)} --reset`;
  return {
    why: `the file index has ${name} ${where}: ${droppedText(dropped)}`,
    remedy: dropped.excluded === undefined ? BRING : choice,
  };
}

/** Clauses. */
interface AbsentText {
  readonly why: string;
  readonly remedy: string;
}

const BRING = 'bring the package by hand, or take a newer index';

/** On a name that an index does not have, or not so that it serves, and what can be done. */
export function absentText(absent: NotFound, program: string): AbsentText {
  const { name, known, otherVersions, dropped } = absent;
  if (isRefused(dropped)) return refusedText(absent, program);
  if (known !== undefined)
    return { why: `${name} ${known.why}`, remedy: known.remedy.replace('PROGRAM', () => fileWord(program)) };
  if (Object.keys(dropped).length > 0) return refusedText(absent, program);
  if (otherVersions.length === 0) return { why: `the file index has no ${name}`, remedy: BRING };
  const [first = ''] = otherVersions;
  return {
    why: `the file index has no ${name}, but ${listed(otherVersions)}`,
    remedy: `take a newer index; or see what has another version: nix-foreign index find ${shellWord(first)}`,
  };
}
