// A load trace → what keeps the program from starting, with who needed it and where it was looked for.
import { findingText } from '../loader/finding-text.ts';
import type { LoaderError, LoadTrace, Searched } from '../loader/load-trace.ts';

/** More directories than these make a line that nobody reads. */
const SHOWN = 6;

function searchedText({ found, directories }: Searched): string {
  const more = directories.length - SHOWN;
  const shown = directories.slice(0, SHOWN).map((each) => (each === '' ? 'the working directory' : each));
  return `${findingText(found)} (${shown.join(', ')}${more > 0 ? ` and ${more} more` : ''})`;
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

/** Complaints of the loader itself, each with what the trace knows of it; those it knows nothing of stay as they are. */
export function withReasons(complaints: readonly string[], trace: LoadTrace): string[] {
  const known = new Map(trace.errors.map((error) => [error.message, complaintOf(error, trace)]));
  return complaints.map((complaint) => known.get(complaint) ?? complaint);
}
