// A set with closest matches → the symbols its objects would miss because of them, as the loader itself finds.
import path from 'node:path';
import { readElf } from '../elf/read-elf.ts';
import type { LoadedObject } from '../loader/list-output.ts';
import { openFileSource } from '../platform/file-source.ts';
import { type ProofRequest, undefinedByLoader } from './proof.ts';

function neededBy(file: string): readonly string[] {
  try {
    const source = openFileSource(file);
    try {
      const reading = readElf(source);
      return reading.kind === 'elf' ? reading.file.needed : [];
    } finally {
      source.close();
    }
  } catch {
    return [];
  }
}

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
    const concerns = closest.has(path.basename(name)) || neededBy(file).some((each) => closest.has(each));
    if (concerns) concerned.add(file);
  }
  return undefinedByLoader(request)
    .filter(({ file }) => concerned.has(file))
    .map(({ symbol, file }) => `${path.basename(file)} needs the symbol ${symbol}, which nobody defines`);
}
