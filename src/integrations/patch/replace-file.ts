// A finished copy → the file in whose place it comes, with that one's owner, modes and attributes, at one instant.
import {
  chmodSync,
  chownSync,
  closeSync,
  fsyncSync,
  linkSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
} from 'node:fs';
import path from 'node:path';
import { removeLeftoversOf, temporaryName } from '../../host/atomic-file.ts';
import { errnoOf, reasonOf } from '../../host/errors.ts';
import { debug } from '../../host/output.ts';
import { runProgramNow } from '../../host/run-program.ts';

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

/**
 * Extended attributes, so file capabilities (xattr(7)), last of all, since chown and write take capabilities away. An
 * ACL comes with the mode: /etc/xattr.conf, which cp(1) heeds, leaves it out of the attributes. Node has no call for
 * them; without cp(1) they are left out. @returns why not, as one clause.
 */
function copyAttributes(from: string, to: string, searchPath: string | undefined): string | undefined {
  const args = ['--attributes-only', '--preserve=mode,xattr', '--', from, to];
  const env = { PATH: searchPath ?? '/run/current-system/sw/bin:/usr/bin:/bin' };
  const { status, failure, stderr } = runProgramNow('cp', args, { env, timeout: TIMEOUT });
  if (status === 0 || failure === 'ENOENT') return undefined;
  // Neither its file system nor that of the copy has any.
  return /not supported/i.test(stderr) ? undefined : (stderr.trim().split('\n')[0] ?? 'cp failed');
}

/** Asks getcap(8), which is where capabilities are given; without it a file counts as having none. */
export function hasCapabilities(file: string, searchPath: string | undefined): boolean {
  const env = { PATH: `${searchPath ?? ''}:/run/current-system/sw/bin:/usr/sbin:/sbin:/usr/bin` };
  const { status, stdout } = runProgramNow('getcap', [file], { env, timeout: TIMEOUT });
  return status === 0 && stdout.includes('cap_');
}

/**
 * The copy gets owner, group, modes and attributes of the other. @returns why not, as one clause. @throws errno
 * errors.
 */
export function takeAttributes(from: string, to: string, searchPath: string | undefined): string | undefined {
  const { uid, gid, mode } = statSync(from);
  const own = statSync(to);
  try {
    if (own.uid !== uid || own.gid !== gid) chownSync(to, uid, gid);
  } catch (error) {
    if (errnoOf(error) !== 'EPERM') throw error;
    return 'its owner and group cannot be given to the new file';
  }
  chmodSync(to, mode & 0o7777);
  return copyAttributes(from, to, searchPath);
}

/** As cp(1): the copy is whose who makes it, and gives nobody else his rights. Else as `takeAttributes`. */
export function takeModes(from: string, to: string, searchPath: string | undefined): string | undefined {
  const { mode } = statSync(from);
  chmodSync(to, mode & 0o777);
  const why = copyAttributes(from, to, searchPath);
  chmodSync(to, mode & 0o777);
  return why;
}

/** Decimal seconds, with a sign before 1970. */
function secondsOf(time: bigint): string {
  const digits = String(time < 0n ? -time : time).padStart(10, '0');
  return `${time < 0n ? '-' : ''}${digits.slice(0, -9)}.${digits.slice(-9)}`;
}

/** `mtime`: nanoseconds since 1970. Node's call is exact to a microsecond, touch(1) to the last digit. */
export function setTime(file: string, mtime: bigint, searchPath: string | undefined): void {
  const env = { PATH: searchPath ?? '/run/current-system/sw/bin:/usr/bin:/bin' };
  const { status } = runProgramNow('touch', ['-m', '-d', `@${secondsOf(mtime)}`, '--', file], {
    env,
    timeout: TIMEOUT,
  });
  if (status === 0) return;
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
