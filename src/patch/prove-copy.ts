// A patched copy → whether the chosen loader takes it for the same program, with the same libraries.
import { realpathSync } from 'node:fs';
import path from 'node:path';
import type { Proven } from '../launch/enact.ts';
import { proveByLoader, verifyByLoader } from '../launch/proof.ts';
import type { LoadedObject } from '../loader/list-output.ts';

function realPath(file: string): string {
  try {
    return realpathSync.native(file);
  } catch {
    return file;
  }
}

/** Each object by its name and the file behind the links; the loader goes by the name of the program's interpreter. */
function objectTexts(objects: readonly LoadedObject[], loader: string): string {
  return objects
    .filter(({ name, path: file }) => realPath(file ?? name) !== realPath(loader))
    .map(({ name, path: file }) => `${path.basename(name)} ${file === undefined ? '' : realPath(file)}`)
    .join('\n');
}

/** Undefined when the copy is as good as the program, else why not, as one clause. */
export function whyNotTheSame(
  copy: string,
  { loader, askedPath, objects }: Proven,
  libc: 'glibc' | 'musl',
): string | undefined {
  if (libc === 'glibc' && !verifyByLoader(loader, copy)) return `${loader} does not take the copy`;
  const request = { loader, libc, libraryPath: askedPath, program: copy };
  const listed = proveByLoader(request);
  if (listed.complaints.length > 0) return `the copy lacks something: ${listed.complaints[0]}`;
  return objectTexts(listed.objects, loader) === objectTexts(objects, loader)
    ? undefined
    : 'the copy would be given other libraries than the program';
}
