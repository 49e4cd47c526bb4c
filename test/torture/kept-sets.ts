// Documents that starts keep at home and in /tmp → whether they name the set of the start that nothing was done to.
import { readFileSync, readlinkSync } from 'node:fs';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Fingerprint } from '../../src/fingerprint/fingerprint.ts';
import { type Left, rootsOf, savedOf } from './work-effects.ts';

/** `storePath/file` by soname; hashes are left out, which are there only where Nix could be asked. */
function setIn(document: string): Record<string, string> {
  const { loader, libraries } = JSON.parse(readFileSync(document, 'utf8')) as Fingerprint;
  return Object.fromEntries(
    [{ soname: 'loader', ...loader }, ...libraries].map((each) => [
      each.soname,
      `${each.storePath}/${each.file}`,
    ]),
  );
}

/** Undefined where all that is kept names it. @param store the store's directory, as a path of the host */
export function whyOtherSet(left: Left, store: string): string | undefined {
  const held = rootsOf(left)
    .map((link) => path.join(store, path.basename(readlinkSync(link))))
    .filter((file) => /-fingerprint-[0-9a-f]{16}\.json$/.test(file));
  const documents = [...held, ...savedOf(left)];
  if (documents.length === 0) return 'no set is kept';
  const expected = setIn(left.document);
  try {
    const other = documents.map(setIn).find((set) => !isDeepStrictEqual(set, expected));
    return other === undefined ? undefined : `another set is kept: ${JSON.stringify(other)}`;
  } catch (error) {
    return `a set that is kept cannot be read: ${String(error)}`;
  }
}
