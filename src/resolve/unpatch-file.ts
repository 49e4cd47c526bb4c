// A patched file → the very file that was patched: bytes, modes, times; its root goes when nothing can need it.
import { chmodSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { openFileSource } from '../elf/open-elf.ts';
import { removeLeftoversOf, temporaryName } from '../host/atomic-file.ts';
import { fileWord } from '../host/shell-words.ts';
import { copyWithUndo, sha256OfSource } from '../integrations/patch/copy-with-changes.ts';
import { forgetPatched } from '../integrations/patch/patched-state.ts';
import { replaceNames, setTime, takeAttributes, takeModes } from '../integrations/patch/replace-file.ts';
import type { Context } from './context.ts';
import { changedAfterPatching, likelyStateOf, patchedStateOf } from './original-of.ts';
import {
  asUnwritable,
  findTarget,
  type HardLinks,
  leftBehind,
  namesOfTarget,
  patchRefusal,
  refuseChanged,
  refuseOthersDirectory,
  refuseOutputInPlace,
  refuseUnreplaceable,
  withoutAttributes,
} from './patch-target.ts';
import { patchPlaces } from './writable-directories.ts';

interface Unpatched {
  readonly file: string;
  readonly farm: string;
  readonly sha256: string;
  readonly size: number;
  readonly ranges: number;
}

interface UnpatchRequest {
  readonly output: string | undefined;
  readonly hardLinks: HardLinks;
  /** Files that may be other names of it. */
  readonly known: readonly string[];
  readonly isDry: boolean;
}

function hashOf(file: string): string {
  const source = openFileSource(file);
  try {
    return sha256OfSource(source);
  } finally {
    source.close();
  }
}

/** @throws ForeignError `not-patched`, `changed-after-patching` and what keeps a file from being replaced. */
export async function unpatchFile(
  typedName: string,
  request: UnpatchRequest,
  context: Context,
): Promise<Unpatched> {
  const target = findTarget(typedName, context.location.storeDir, 'unpatch');
  const known = await patchPlaces(context.host.uid);
  // What comes out is compared with what it was: read once, and gigabytes take a second each.
  const patched = request.isDry ? patchedStateOf(target, known) : likelyStateOf(target, known);
  if (patched === undefined)
    throw patchRefusal(
      typedName,
      'it is not patched, or nothing is known of what it was',
      `see: nix-foreign patch --check ${fileWord(typedName)}`,
      'not-patched',
    );
  const { farm, undo } = patched;
  const { output, hardLinks } = request;
  if (output !== undefined) refuseOutputInPlace(target, output, 'unpatch');
  const names = output === undefined ? namesOfTarget(target, hardLinks, request.known, 'unpatch') : [output];
  const done = {
    file: names[0] ?? typedName,
    farm,
    sha256: undo.sha256,
    size: undo.size,
    ranges: undo.ranges.length,
  };
  if (request.isDry) return done;
  const { uid } = context.host;
  if (request.output === undefined) refuseUnreplaceable(target, names, uid, 'unpatch');
  else refuseOthersDirectory(target, names, uid, { command: 'unpatch', output: request.output });
  removeLeftoversOf(path.resolve(done.file));
  const copy = temporaryName(path.resolve(done.file));
  try {
    copyWithUndo(target.path, copy, undo);
    if (hashOf(copy) !== undo.sha256) {
      refuseChanged(target);
      throw changedAfterPatching(typedName);
    }
    const searchPath = context.env['PATH'];
    const why =
      request.output === undefined
        ? takeAttributes(target.path, copy, searchPath)
        : takeModes(target.path, copy, searchPath, temporaryName(path.resolve(done.file)));
    if (why !== undefined) throw withoutAttributes(target, why, 'unpatch');
    // With an ACL its mask is among them.
    const mode = request.output === undefined ? undo.mode : undo.mode & 0o777;
    if ((statSync(copy).mode & 0o7777) !== mode) chmodSync(copy, mode);
    setTime(copy, undo.mtime, context.env['PATH']);
    refuseChanged(target);
    const left = replaceNames(copy, names);
    // The record stays: what was left names the farm.
    if (left !== undefined) throw leftBehind(target, left, 'unpatch');
  } catch (error) {
    rmSync(copy, { force: true });
    throw asUnwritable(error, target, done.file, { command: 'unpatch', size: undo.size });
  }
  if (request.output === undefined) for (const dirs of known) await forgetPatched(dirs, farm, names);
  return done;
}
