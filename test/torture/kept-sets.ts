// Documents that starts keep at home and in /tmp → whether they name the set of the start that nothing was done to.
import { readFileSync, readlinkSync } from 'node:fs';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Fingerprint } from '../../src/fingerprint/fingerprint.ts';
import { textIn } from '../../src/store/add-and-pin.ts';
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

/** What a root link leads to; where a run was killed while it pinned, the text in the derivation that it left. */
function heldBy(link: string, store: string): string {
  const object = path.join(store, path.basename(readlinkSync(link)));
  const text = object.endsWith('.drv') ? textIn(readFileSync(object, 'utf8')) : undefined;
  return text === undefined ? object : path.join(store, path.basename(text));
}

/** Undefined where all that is kept names it. @param store the store's directory, as a path of the host */
export function whyOtherSet(left: Left, store: string): string | undefined {
  const held = rootsOf(left)
    .map((link) => heldBy(link, store))
    .filter((file) => /-fingerprint-[0-9a-f]{16}\.json$/.test(file));
  const saved = savedOf(left);
  if (held.length + saved.length === 0) return 'no set is kept';
  const expected = setIn(left.document);
  const isExpected = (set: object): boolean => isDeepStrictEqual(set, expected);
  try {
    const sets = saved.map(setIn);
    // Where Nix could not be asked, a file has the set, and the root that of before.
    const before = left.before !== undefined && sets.some(isExpected) ? setIn(left.before) : undefined;
    const inRoots = held.map(setIn).filter((set) => !isDeepStrictEqual(set, before));
    const other = [...sets, ...inRoots].find((set) => !isExpected(set));
    return other === undefined ? undefined : `another set is kept: ${JSON.stringify(other)}`;
  } catch (error) {
    return `a set that is kept cannot be read: ${String(error)}`;
  }
}
