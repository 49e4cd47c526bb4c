// A finished copy → the file in whose place it comes, with that one's owner, modes and attributes, at one instant.
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { removeLeftoversOf, temporaryName } from '../../host/atomic-file.ts';
import { errnoOf, reasonOf } from '../../host/errors.ts';
import { debug } from '../../host/output.ts';
import { type Ended, runProgramNow } from '../../host/run-program.ts';

const TIMEOUT = 60_000;

/** One that may be written but not read (mode 0300) cannot be opened for it. The files are there all the same. */
function settleDirectory(directory: string): void {
  try {
    const fd = openSync(directory, 'r');
    try {
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    debug(`fsync of ${directory}: ${reasonOf(error)}`);
  }
}

const SYSTEM_PLACES = '/run/current-system/sw/bin:/usr/bin:/bin';

/** Starts each program of this name on PATH until one `serves`; how that one ended, else the last. */
function runFirst(
  name: string,
  args: readonly string[],
  searchPath: string | undefined,
  serves: (ended: Ended) => boolean,
): Ended | undefined {
  const env = { PATH: searchPath ?? SYSTEM_PLACES };
  const directories = env.PATH.split(':').filter(path.isAbsolute);
  let last: Ended | undefined;
  for (const file of new Set(directories.map((each) => path.join(each, name)))) {
    if (!existsSync(file)) continue;
    last = runProgramNow(file, args, { env, timeout: TIMEOUT });
    if (serves(last)) return last;
  }
  return last;
}

/** Why the copy would have other rights or attributes: one clause. `no-cp`: it takes another cp(1) than is there. */
export interface LostAttributes {
  readonly kind: 'refused' | 'no-cp';
  readonly why: string;
}

/** What cp(1) of BusyBox, toybox and BSD says of an option of GNU's. */
const UNKNOWN_OPTION = /(unrecognized|unknown|illegal|invalid) option/i;

/** The group bits of a file with an ACL are its mask: more than others have may be more than the group had. */
function mayHoldMask(file: string): boolean {
  const { mode } = statSync(file);
  return ((mode >> 3) & 7 & ~mode) !== 0;
}

/** What cp(1) is to copy: by `all` the attributes in `security.` too, which else are left behind or taken away. */
type Preserved = 'all' | 'xattr' | 'mode';

/**
 * Of a file whose attributes cannot be copied: getfattr(1) names them, ACL and capabilities among them. A label of
 * SELinux comes from the directory. Without getfattr one whose group has no more than others counts as having none.
 */
function hasAttributes(file: string, searchPath: string | undefined, what: Preserved): boolean {
  const args = ['-m', '-', '--absolute-names', '--', file];
  const places = `${searchPath ?? ''}:${SYSTEM_PLACES}`;
  const listed = runFirst('getfattr', args, places, ({ status }) => status === 0);
  if (listed?.status !== 0) return mayHoldMask(file) || (what === 'all' && hasCapabilities(file, searchPath));
  const left = what === 'all' ? /^security\.selinux$/ : /^security\./;
  return listed.stdout.split('\n').some((line) => /^[a-z]+\./.test(line) && !left.test(line));
}

/**
 * Extended attributes, so file capabilities (xattr(7)), last of all, since chown and write take capabilities away. An
 * ACL comes with the mode: /etc/xattr.conf, which cp(1) heeds, leaves it out of the attributes. Node has no call for
 * them, and only GNU's cp copies them alone.
 */
function copyAttributes(
  from: string,
  to: string,
  searchPath: string | undefined,
  what: Preserved,
): LostAttributes | undefined {
  const preserved = what === 'all' ? 'mode,xattr' : what;
  const args = ['--attributes-only', `--preserve=${preserved}`, '--', from, to];
  const isOther = ({ failure, stderr }: Ended) => failure !== undefined || UNKNOWN_OPTION.test(stderr);
  const ended = runFirst('cp', args, searchPath, (each) => !isOther(each));
  if (ended === undefined || isOther(ended)) {
    const why = 'it has or may have extended attributes or an access control list, which only GNU cp copies';
    return hasAttributes(from, searchPath, what) ? { kind: 'no-cp', why } : undefined;
  }
  const { status, stderr } = ended;
  // Neither its file system nor that of the copy has any.
  if (status === 0 || /not supported/i.test(stderr)) return undefined;
  // It has copied the others: those of `security.` only root may give.
  const failures = stderr.trim().split('\n');
  const refused = what === 'all' ? failures : failures.filter((line) => !/'security\.\w+'/.test(line));
  return refused[0] === undefined ? undefined : { kind: 'refused', why: refused[0] };
}

/** Asks getcap(8), which is where capabilities are given; without it a file counts as having none. */
export function hasCapabilities(file: string, searchPath: string | undefined): boolean {
  const env = { PATH: `${searchPath ?? ''}:/run/current-system/sw/bin:/usr/sbin:/sbin:/usr/bin` };
  const { status, stdout } = runProgramNow('getcap', [file], { env, timeout: TIMEOUT });
  return status === 0 && stdout.includes('cap_');
}

/** cp(1) opens the copy to write, which who is not root may do only where its owner may write. */
function copyAttributesAndMode(
  from: string,
  to: string,
  { mode, what }: { readonly mode: number; readonly what: Preserved },
  searchPath: string | undefined,
): LostAttributes | undefined {
  chmodSync(to, (mode & 0o777) | 0o200);
  const lost = copyAttributes(from, to, searchPath, what);
  chmodSync(to, mode);
  return lost;
}

/** The copy gets owner, group, modes and attributes of the other. @throws errno errors. */
export function takeAttributes(
  from: string,
  to: string,
  searchPath: string | undefined,
): LostAttributes | undefined {
  const { uid, gid, mode } = statSync(from);
  const own = statSync(to);
  try {
    if (own.uid !== uid || own.gid !== gid) chownSync(to, uid, gid);
  } catch (error) {
    if (errnoOf(error) !== 'EPERM') throw error;
    return { kind: 'refused', why: 'its owner and group cannot be given to the new file' };
  }
  return copyAttributesAndMode(from, to, { mode: mode & 0o7777, what: 'all' }, searchPath);
}

/** cp(1) gives set-id bits with the mode, for as long as it runs: to a file that nobody else can reach, in `apart`. */
function copyModeApart(
  from: string,
  to: string,
  searchPath: string | undefined,
  apart: string,
): LostAttributes | undefined {
  const wanted = { mode: statSync(from).mode & 0o777, what: 'mode' } as const;
  const between = path.join(apart, 'mode');
  mkdirSync(apart, { mode: 0o700 });
  try {
    writeFileSync(between, '', { mode: 0o600 });
    return (
      copyAttributesAndMode(from, between, wanted, searchPath) ??
      copyAttributesAndMode(between, to, wanted, searchPath)
    );
  } finally {
    rmSync(apart, { recursive: true, force: true });
  }
}

/**
 * As cp(1): the copy is whose who makes it, and gives nobody else his rights. Else as `takeAttributes`. `apart`: a
 * directory that is made meanwhile, on the copy's file system, since it is that which has an ACL or has none.
 */
export function takeModes(
  from: string,
  to: string,
  searchPath: string | undefined,
  apart: string,
): LostAttributes | undefined {
  const { uid, gid } = statSync(to);
  // So nobody can start it until chown(2) has taken capabilities away, also where owner and group stay (Linux
  // fs/open.c, chown_common).
  chmodSync(to, 0o600);
  const lost = copyAttributes(from, to, searchPath, 'xattr');
  chownSync(to, uid, gid);
  return lost ?? copyModeApart(from, to, searchPath, apart);
}

/** Decimal seconds, with a sign before 1970. */
function secondsOf(time: bigint): string {
  const digits = String(time < 0n ? -time : time).padStart(10, '0');
  return `${time < 0n ? '-' : ''}${digits.slice(0, -9)}.${digits.slice(-9)}`;
}

/** `mtime`: nanoseconds since 1970. Node's call is exact to a microsecond, touch(1) to the last digit. */
export function setTime(file: string, mtime: bigint, searchPath: string | undefined): void {
  const args = ['-m', '-d', `@${secondsOf(mtime)}`, '--', file];
  const isSet = () => statSync(file, { bigint: true }).mtimeNs === mtime;
  if (runFirst('touch', args, searchPath, isSet) !== undefined && isSet()) return;
  const seconds = Number(mtime / 1000n) / 1e6;
  utimesSync(file, seconds, seconds);
}

interface Replacement {
  readonly name: string;
  /** Beside it. */
  readonly temporary: string;
}

/** A temporary link to the file beside each of the names. @throws Node's errno errors; none is left then. */
function linkBeside(made: string, names: readonly string[]): Replacement[] {
  const links: Replacement[] = [];
  try {
    for (const name of names) {
      removeLeftoversOf(name);
      const temporary = temporaryName(name);
      linkSync(made, temporary);
      links.push({ name, temporary });
    }
    return links;
  } catch (error) {
    for (const { temporary } of links) rmSync(temporary, { force: true });
    throw error;
  }
}

/** A name that is still the old file, and why: undefined where there is none. */
export type LeftName = { readonly name: string; readonly error: unknown } | undefined;

function renameAll(links: readonly Replacement[]): LeftName {
  let left: LeftName;
  for (const { name, temporary } of links) {
    try {
      renameSync(temporary, name);
    } catch (error) {
      left ??= { name, error };
      rmSync(temporary, { force: true });
    }
  }
  return left;
}

/**
 * Every one of `names` is then the new file; the first one first. What can fail is done before the first is.
 * @throws Node's errno errors; every name is the old file then.
 */
export function replaceNames(made: string, names: readonly string[]): LeftName {
  const [first = '', ...others] = names;
  const links = linkBeside(made, others);
  try {
    renameSync(made, first);
  } catch (error) {
    for (const { temporary } of links) rmSync(temporary, { force: true });
    throw error;
  }
  const left = renameAll(links);
  for (const directory of new Set(names.map((name) => path.dirname(name)))) settleDirectory(directory);
  return left;
}
