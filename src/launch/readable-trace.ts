// A load trace with paths as bytes → the same with paths as ordinary text.
import { pathOfElfString as text } from '../candidates/run-directories.ts';
import type { Attempt, Finding, LoadTrace, Searched, TracedObject } from '../loader/load-trace.ts';

function findingOf(found: Finding): Finding {
  return 'of' in found ? { ...found, of: text(found.of) } : found;
}

function attemptOf({ path, why }: Attempt): Attempt {
  return { path: text(path), why };
}

function searchedOf({ found, directories }: Searched): Searched {
  return { found: findingOf(found), directories: directories.map(text) };
}

function objectOf(object: TracedObject): TracedObject {
  const { name, path, found, tried, requests } = object;
  return {
    ...object,
    name: text(name),
    path: path === undefined ? undefined : text(path),
    found: findingOf(found),
    tried: tried.map(attemptOf),
    requests: requests.map((each) => ({ ...each, name: text(each.name), from: text(each.from) })),
  };
}

function complaintOf<T extends { about: string; neededBy: string | undefined; message: string }>(said: T): T {
  const neededBy = said.neededBy === undefined ? undefined : text(said.neededBy);
  return { ...said, about: text(said.about), neededBy, message: text(said.message) };
}

/** What the ELF files say stays as it is read. */
export function readableTrace(trace: LoadTrace): LoadTrace {
  return {
    ...trace,
    objects: trace.objects.map(objectOf),
    errors: trace.errors.map((error) => ({
      ...complaintOf(error),
      ...(error.searched && { searched: error.searched.map(searchedOf) }),
      ...(error.tried && { tried: error.tried.map(attemptOf) }),
    })),
    warnings: trace.warnings.map(complaintOf),
  };
}
