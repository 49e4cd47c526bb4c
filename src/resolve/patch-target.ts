// A file as it was named → what is to be patched there, once nothing about the file itself is in the way.
import {
  accessSync,
  type BigIntStats,
  constants,
  lstatSync,
  readdirSync,
  realpathSync,
  statSync,
} from 'node:fs';
import path from 'node:path';
import { errnoOf, ForeignError, reasonOf } from '../host/errors.ts';
import { identityOfStats, inodeOf } from '../host/file-identity.ts';
import { isGone } from '../host/files.ts';
import { fileWord } from '../host/shell-words.ts';
import { isTrustedAndThere, trustedTarget } from '../host/trusted-way.ts';
import type { LeftName, LostAttributes } from '../integrations/patch/replace-file.ts';

export interface PatchTarget {
  /** As it was named. */
  readonly typedName: string;
  /** Real path. */
  readonly path: string;
  readonly stats: BigIntStats;
  readonly identity: string;
}

/** The command that would write. */
type Command = 'patch' | 'unpatch';

export type HardLinks = 'refuse' | 'all' | 'one';

/** Why a file is not patched; nothing was changed. */
export function patchRefusal(typedName: string, cause: string, hint: string, code: string): ForeignError {
  return new ForeignError(`${typedName}: ${cause}`, { code, hint, exitCode: 126 });
}

/** What a name leads to. @throws ForeignError `not-found`, `unreachable`. */
export function locate(typedName: string): { readonly file: string; readonly stats: BigIntStats } {
  try {
    const file = realpathSync.native(typedName);
    // Where a link is by now, somebody exchanges it.
    return { file, stats: lstatSync(file, { bigint: true }) };
  } catch (error) {
    const missing = errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR';
    throw new ForeignError(`${typedName}: ${reasonOf(error)}`, {
      code: missing ? 'not-found' : 'unreachable',
      hint: 'check the spelling of the path, and the links on it',
      exitCode: missing ? 127 : 126,
      cause: error,
    });
  }
}

/**
 * `command`: the one that was typed, with its option, for a directory: `patch --check`.
 * @throws ForeignError for what is no file, or one that nobody but Nix may change.
 */
export function findTarget(typedName: string, storeDir: string, command = 'patch'): PatchTarget {
  const { file, stats } = locate(typedName);
  if (stats.isDirectory())
    throw patchRefusal(
      typedName,
      'it is a directory',
      `name what is in it: nix-foreign ${command} --tree ${fileWord(typedName)}`,
      'directory',
    );
  if (!stats.isFile())
    throw patchRefusal(typedName, 'it is not a regular file', 'name a program', 'not-a-file');
  if (file.startsWith(`${storeDir}/`))
    throw patchRefusal(
      typedName,
      `it lies in the store, as ${file}`,
      'nothing is to be done: start it as it is',
      'in-store',
    );
  try {
    accessSync(file, constants.R_OK);
  } catch (error) {
    throw patchRefusal(
      typedName,
      `it cannot be read: ${reasonOf(error)}`,
      `chmod u+r ${fileWord(file)}`,
      'unreadable',
    );
  }
  return { typedName, path: file, stats, identity: identityOfStats(stats) };
}

function isNameOf(name: string, stats: BigIntStats): boolean {
  const found = lstatSync(name, { bigint: true, throwIfNoEntry: false });
  return found?.isFile() === true && inodeOf(found) === inodeOf(stats);
}

/** Names of the same file in one directory. */
function namesBeside({ path: file, stats }: PatchTarget): string[] {
  const directory = path.dirname(file);
  const names = readdirSync(directory).map((name) => path.join(directory, name));
  return names.filter((each) => isNameOf(each, stats)).sort();
}

/**
 * Every name that the changed file is to have, the named one first. `known`: files that may be other names of it.
 * @throws ForeignError `hard-links` where names would be left behind that nobody spoke of.
 */
export function namesOfTarget(
  target: PatchTarget,
  wanted: HardLinks,
  known: readonly string[] = [],
  command: Command = 'patch',
): readonly string[] {
  const { typedName, path: file, stats } = target;
  if (stats.nlink === 1n || wanted === 'one') return [file];
  const elsewhere = known.filter((each) => isNameOf(each, stats));
  const found = [...new Set([...namesBeside(target), ...elsewhere])].filter((each) => each !== file);
  const others = Number(stats.nlink) - 1;
  if (wanted === 'all' && found.length === others) return [file, ...found];
  const names = found.length === 0 ? '' : `: ${found.slice(0, 3).join(', ')}`;
  const cause = `it has ${others} other ${others === 1 ? 'name' : 'names'} by hard links${names}`;
  throw patchRefusal(
    typedName,
    wanted === 'all'
      ? `${cause}, and where they all are is not known`
      : `${cause}, which would stay as they are`,
    wanted === 'all'
      ? 'leave the others as they are: --hard-links one'
      : `${command} them too, or leave them: --hard-links all, --hard-links one`,
    'hard-links',
  );
}

function writeAnother(typedName: string, command: Command): string {
  return `leave it as it is and write another: nix-foreign ${command} ${fileWord(typedName)} -o OUT`;
}

export function withoutAttributes(
  { typedName }: PatchTarget,
  { kind, why }: LostAttributes,
  command: Command,
): ForeignError {
  const hint =
    kind === 'no-cp'
      ? `get one for this command: nix-shell -p coreutils; or take them away first: setfattr(1), setfacl(1)`
      : `try it as root, or ${writeAnother(typedName, command)}`;
  return patchRefusal(typedName, why, hint, 'attributes');
}

/** With `-o` the file itself is to stay as it is. @throws ForeignError `same-file`. */
export function refuseOutputInPlace(target: PatchTarget, output: string, command: Command): void {
  if (output !== target.path) return;
  const hint = `name another, or leave -o out: nix-foreign ${command} ${fileWord(target.typedName)}`;
  throw patchRefusal(target.typedName, 'the output is the file itself', hint, 'same-file');
}

function whyNotWritable(
  file: string,
): { readonly errno: string | undefined; readonly why: string } | undefined {
  try {
    accessSync(file, constants.W_OK);
    return undefined;
  } catch (error) {
    return { errno: errnoOf(error), why: reasonOf(error) };
  }
}

/** EPERM is said of nobody's rights but of chattr(1): neither is such a file written nor renamed over. */
function refuseImmutable({ typedName, path: file }: PatchTarget): void {
  for (const each of [file, path.dirname(file)]) {
    if (whyNotWritable(each)?.errno !== 'EPERM') continue;
    const which = each === file ? 'it' : `its directory ${each}`;
    const hint = `let it be changed: sudo chattr -i ${fileWord(each)}`;
    throw patchRefusal(typedName, `${which} is immutable (chattr +i)`, hint, 'immutable');
  }
}

/** In a sticky directory others cannot touch what is root's, but what is given to its owner is his to rename. */
function isRootsAlone(directory: string, owner: bigint): boolean {
  if (!isTrustedAndThere(directory, 0)) return false;
  return owner === 0n || (statSync(directory).mode & 0o1002) !== 0o1002;
}

/** Who may do what root may not. */
function asOwner({ typedName, stats }: PatchTarget, command: Command): string {
  if (stats.uid === 0n) return writeAnother(typedName, command);
  return `as its owner: sudo -u '#${stats.uid}' env "PATH=$PATH" nix-foreign ${command} ${fileWord(typedName)}`;
}

function ledByOthers(typedName: string, file: string, command: Command): ForeignError {
  const isTree = statSync(file, { throwIfNoEntry: false })?.isDirectory() === true;
  const meant = isTree
    ? `nix-foreign ${command} --tree ${fileWord(file)}`
    : `nix-foreign ${command} ${fileWord(file)}`;
  return patchRefusal(
    typedName,
    `others may change where it leads, which is ${file} now`,
    `if that is meant, name it itself: ${meant}`,
    'others-link',
  );
}

/**
 * A link that somebody else put there, or may, leads root to a file that root did not mean. `file` is where it led when
 * it was looked at first: what is done is done to that one.
 * @throws ForeignError `others-link`; what lies where others may rename is refused for that, file by file.
 */
export function refuseOthersLink(typedName: string, file: string, uid: number, command: Command): void {
  if (uid !== 0 || path.resolve(typedName) === file || trustedTarget(typedName, 0) === file) return;
  if (isTrustedAndThere(path.dirname(file), 0)) throw ledByOthers(typedName, file, command);
}

/** The same for a shim that root found on PATH and that stands for a program. @throws ForeignError `others-link`. */
export function refuseOthersShim(shim: string, program: string, uid: number, command: Command): void {
  if (uid !== 0 || isTrustedAndThere(shim, 0)) return;
  if (isTrustedAndThere(path.dirname(program), 0)) throw ledByOthers(shim, program, command);
}

/**
 * What root writes is reached by its name again and again (cp(1), chown(2)): who may rename there could put a link to
 * another file in its place. `output`: the file is to be this one, and belongs to who makes it.
 * @throws ForeignError `others-directory`, `no-directory`, `others-link`.
 */
export function refuseOthersDirectory(
  target: PatchTarget,
  names: readonly string[],
  uid: number,
  { command, output }: { readonly command: Command; readonly output: string | undefined },
): void {
  if (uid !== 0) return;
  const owner = output === undefined ? target.stats.uid : 0n;
  for (const directory of names.map((name) => path.dirname(name))) {
    if (isRootsAlone(directory, owner)) continue;
    if (isGone(directory))
      throw patchRefusal(
        target.typedName,
        `there is no directory ${directory}`,
        `make it first: mkdir -p ${fileWord(directory)}`,
        'no-directory',
      );
    const cause = `others may rename files in ${directory}, so root could be led to another file`;
    const hint = output === undefined ? asOwner(target, command) : 'name an output where only root may write';
    throw patchRefusal(target.typedName, cause, hint, 'others-directory');
  }
  if (output === undefined) refuseOthersLink(target.typedName, target.path, uid, command);
}

function refuseOthersFile(target: PatchTarget, uid: number, command: Command): void {
  const { typedName, path: file, stats } = target;
  if (uid === 0 || stats.uid === BigInt(uid)) return;
  const all = command === 'patch' ? ' --system' : '';
  const asRoot = `as root: sudo env "PATH=$PATH" nix-foreign ${command}${all} ${fileWord(typedName)}`;
  const hint = isRootsAlone(path.dirname(file), stats.uid) ? asRoot : asOwner(target, command);
  throw patchRefusal(typedName, 'it belongs to somebody else', hint, 'not-owner');
}

/** @throws ForeignError where the file cannot be replaced, under all of these names, by somebody of this id. */
export function refuseUnreplaceable(
  target: PatchTarget,
  names: readonly string[],
  uid: number,
  command: Command = 'patch',
): void {
  const { typedName, path: file } = target;
  refuseOthersFile(target, uid, command);
  refuseOthersDirectory(target, names, uid, { command, output: undefined });
  refuseImmutable(target);
  for (const name of names) {
    const blocked = whyNotWritable(path.dirname(name));
    if (blocked === undefined) continue;
    const which = name === file ? 'it' : `its other name ${name}`;
    const hint = writeAnother(typedName, command);
    throw patchRefusal(
      typedName,
      `nothing can be written beside ${which}: ${blocked.why}`,
      hint,
      'read-only',
    );
  }
}

/** Said when the first of its names is the new file already. */
export function leftBehind(target: PatchTarget, left: LeftName & {}, command: Command): ForeignError {
  return new ForeignError(
    `${target.typedName}: it is ${command}ed, but not its other name ${left.name}: ${reasonOf(left.error)}`,
    {
      code: 'name-left',
      hint: `make that one a link to it: ln -f ${target.path} ${left.name}`,
      exitCode: 125,
      cause: left.error,
    },
  );
}

/** What an errno of writing says; everything else as it is. `size`: of what was to be written. */
export function asUnwritable(
  error: unknown,
  { typedName }: PatchTarget,
  output: string,
  { command, size }: { readonly command: Command; readonly size: number },
): unknown {
  const errno = errnoOf(error);
  if (error instanceof ForeignError || errno === undefined) return error;
  const hints: Readonly<Record<string, string>> = {
    ENOSPC: `make room for ${size} bytes, and say it again`,
    EDQUOT: `make room for ${size} bytes of your quota, and say it again`,
    EPERM: `see whether it may only be appended to: lsattr ${fileWord(output)}; then: sudo chattr -a ${fileWord(output)}`,
  };
  return new ForeignError(`${typedName}: ${output} cannot be written: ${reasonOf(error)}`, {
    code: 'unwritable',
    hint: hints[errno] ?? writeAnother(typedName, command),
    exitCode: 125,
    cause: error,
  });
}

/** @throws ForeignError `changed` where another file is there now. */
export function refuseChanged({ typedName, path: file, identity }: PatchTarget): void {
  const now = lstatSync(file, { bigint: true, throwIfNoEntry: false });
  if (now !== undefined && identityOfStats(now) === identity) return;
  throw patchRefusal(
    typedName,
    'it was changed meanwhile',
    'wait until nobody writes it, and say it again',
    'changed',
  );
}
