// A load trace → what keeps the program from starting, in words, and where the loader's own list differs from it.

import { listText } from '../host/output.ts';
import type { LoadedObject } from './ask-loader.ts';
import {
  findingText,
  type LoaderError,
  type LoadTrace,
  type Searched,
  type TracedObject,
} from './simulation/trace.ts';

/** More directories than these make a line that nobody reads. */
const SHOWN = 6;

function searchedText({ found, directories }: Searched): string {
  const named = directories.map((each) => (each === '' ? 'the working directory' : each));
  return `${findingText(found)} (${listText(named, SHOWN)})`;
}

function missingText({ about, neededBy, message, searched = [], tried = [] }: LoaderError): string {
  const reason = about.includes('/') ? message : `${about} is in none of the searched directories`;
  const lists = searched.map(searchedText);
  const passed = tried.filter(({ why }) => why !== 'ENOENT').map(({ path, why }) => `${path} (${why})`);
  return [
    `${reason}${neededBy === undefined ? '' : `, needed by ${neededBy}`}`,
    ...(lists.length === 0 ? [] : [`searched: ${lists.join(', ')}`]),
    ...(passed.length === 0 ? [] : [`passed over: ${passed.slice(0, SHOWN).join(', ')}`]),
  ].join('; ');
}

function complaintOf(error: LoaderError, trace: LoadTrace): string {
  const { kind, about, neededBy, message } = error;
  if (kind === 'missing') return missingText(error);
  const object = trace.objects.find(({ path }) => path === about);
  const needer = neededBy === undefined || message.includes(neededBy) ? '' : `, needed by ${neededBy}`;
  const origin =
    object === undefined || object.role !== 'library' ? '' : `; it was found by ${findingText(object.found)}`;
  return `${message}${needer}${origin}`;
}

/** One line for each error, in the loader's order; none for a set that the loader would start the program with. */
export function complaintsOf(trace: LoadTrace): string[] {
  return trace.errors.map((error) => complaintOf(error, trace));
}

/**
 * Complaints of the loader itself, each with what the trace knows of it; those it knows nothing of stay as they are.
 */
export function withReasons(complaints: readonly string[], trace: LoadTrace): string[] {
  const known = new Map(trace.errors.map((error) => [error.message, complaintOf(error, trace)]));
  return complaints.map((complaint) => known.get(complaint) ?? complaint);
}

/** musl's loader prints itself once for each name it goes by, and only libraries can be compared. */
export function simulatedObjects({ objects }: LoadTrace, libc: 'glibc' | 'musl'): readonly TracedObject[] {
  if (libc === 'musl') return objects.filter(({ role }) => role === 'library');
  // A filter of the program's own stands before it and is not listed (glibc elf/rtld.c, rtld_mode_list).
  return objects.slice(objects.findIndex(({ role }) => role === 'program') + 1);
}

/**
 * Undefined when the loader listed exactly what was simulated: `objects` as `ld.so --list` printed them for a set that
 * `loader` accepted.
 */
export function disagreementOf(
  trace: LoadTrace,
  objects: readonly LoadedObject[],
  libc: 'glibc' | 'musl',
  loader: string,
): string | undefined {
  const refusal = trace.errors.find(({ stage }) => stage !== 'start');
  if (refusal !== undefined) return `expected was a refusal: ${refusal.message}`;
  const listed = libc === 'musl' ? objects.filter(({ path }) => path !== loader) : objects;
  const simulated = simulatedObjects(trace, libc);
  for (let at = 0; at < Math.max(listed.length, simulated.length); at += 1) {
    const [one, other] = [simulated[at], listed[at]];
    if (one?.name === other?.name && one?.path === other?.path) continue;
    return `object ${at + 1} was expected as ${objectText(one)}, and the loader has ${objectText(other)}`;
  }
  return undefined;
}

function objectText(object: LoadedObject | TracedObject | undefined): string {
  if (object === undefined) return 'none';
  return object.name === object.path ? object.name : `${object.name} from ${object.path ?? 'nowhere'}`;
}
