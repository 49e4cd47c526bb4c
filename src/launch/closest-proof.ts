// A set with closest matches → the symbols its objects would miss because of them, as the loader itself finds.
import path from 'node:path';
import type { LoadedObject } from '../loader/list-output.ts';
import { elfFileAt } from '../store/read-elf-file.ts';
import { type ProofRequest, undefinedByLoader, undefinedText } from './proof.ts';

/**
 * Complaints about undefined symbols in the libraries of `closest` (needed names) and in what needs them: with the
 * exact libraries these would be defined. What other objects leave undefined, they leave so with any set.
 */
export function closestComplaints(
  request: ProofRequest,
  objects: readonly LoadedObject[],
  closest: ReadonlySet<string>,
): string[] {
  if (closest.size === 0 || request.libc !== 'glibc') return [];
  const concerned = new Set<string>();
  for (const { name, path: file } of [{ name: request.program, path: request.program }, ...objects]) {
    if (file === undefined) continue;
    const concerns =
      closest.has(path.basename(name)) || elfFileAt(file)?.needed.some((each) => closest.has(each));
    if (concerns) concerned.add(file);
  }
  return undefinedByLoader(request, 'ever')
    .filter(({ file }) => concerned.has(file))
    .map(undefinedText);
}
