// A command about a program → the same about its original content where the file is patched, told of the file itself.
import { ForeignError } from '../host/errors.ts';
import { fileWord } from '../host/shell-words.ts';
import type { Context } from './context.ts';
import { type Original, patchedStateOf, withOriginal } from './original-of.ts';
import { findTarget, type PatchTarget } from './patch-target.ts';
import { patchPlaces } from './writable-directories.ts';

/** A name in texts and in plain values; what is no plain value stays as it is. */
function renamed<T>(value: T, from: string, to: string): T {
  if (typeof value === 'string') return value.replaceAll(from, to) as T;
  if (Array.isArray(value)) return value.map((each) => renamed(each, from, to)) as T;
  if (value === null || typeof value !== 'object' || Object.getPrototypeOf(value) !== Object.prototype)
    return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, renamed(each, from, to)])) as T;
}

function renamedError(error: unknown, from: string, to: string): unknown {
  if (!(error instanceof ForeignError)) return error;
  const { code, exitCode, cause } = error;
  const details = { code, exitCode, cause, hint: error.hint.replaceAll(from, to) };
  return new ForeignError(error.message.replaceAll(from, to), details);
}

/** Undefined for what no patched file can be: the command says itself what is wrong with it. */
function targetOf(typedName: string, { location }: Context): PatchTarget | undefined {
  try {
    return findTarget(typedName, location.storeDir);
  } catch (error) {
    if (error instanceof ForeignError) return undefined;
    throw error;
  }
}

/**
 * For what goes to or comes from elsewhere by the content, which a patched file does not share with its original.
 * @throws ForeignError `patched`, `changed-after-patching`.
 */
export async function refusePatched(typedName: string, context: Context): Promise<void> {
  const target = targetOf(typedName, context);
  if (target === undefined) return;
  if (patchedStateOf(target, await patchPlaces(context.host.uid)) === undefined) return;
  throw new ForeignError(`${typedName}: it is patched, and fingerprints are of what it was before`, {
    code: 'patched',
    hint: `name an original, or make it what it was first: nix-foreign unpatch ${fileWord(typedName)}`,
    exitCode: 125,
  });
}

/**
 * `work` gets the name to look at, and for a patched file what it is patched with. Its value is plain, and names the
 * patched file where it named the one that was looked at.
 * @throws ForeignError `changed-after-patching`; whatever `work` throws.
 */
export async function forOriginal<T>(
  typedName: string,
  context: Context,
  work: (name: string, patched: Original['patched']) => Promise<T>,
): Promise<T> {
  const target = targetOf(typedName, context);
  if (target === undefined) return await work(typedName, undefined);
  return await withOriginal(target, context, 'in the cache', async ({ file, patched }) => {
    if (patched === undefined) return await work(typedName, undefined);
    try {
      return renamed(await work(file, patched), file, target.path);
    } catch (error) {
      throw renamedError(error, file, typedName);
    }
  });
}
