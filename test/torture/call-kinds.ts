// The system calls of a work → in which order something is done to them: one of each kind first, then all others.
import { hash } from 'node:crypto';

/**
 * Calls of one name about files of one kind: names of store objects, hashes and numbers are left out, and within the
 * store only how a name ends counts.
 */
export function kindOfCall(call: string): string {
  return call
    .replace(/(\/nix\/store\/)[^ ]*?(\.so\b[^/ ]*|\/)?$/, (_, store, end = '') => `${store}*${end}`)
    .replace(/[0-9a-f]{8,}/g, '#')
    .replace(/-[A-Za-z0-9]{6}(?=\/|$)/g, '-*') // mkdtemp(3)
    .replace(/\.so[.\d]*$/, '.so')
    .replace(/\d+/g, '0');
}

/**
 * A number for each call that only the seed, its kind and how many of that kind came before decide: where threads make
 * a few calls more, all others keep theirs, and a later run can go on behind an earlier one.
 */
function lotsOf(calls: readonly string[], seed: number): string[] {
  const counts = new Map<string, number>();
  return calls.map((call) => {
    const kind = kindOfCall(call);
    const count = (counts.get(kind) ?? 0) + 1;
    counts.set(kind, count);
    return hash('sha1', `${seed} ${count} ${kind}`);
  });
}

/** Of Node, Nix and their loaders, whose paths and memory maps they read again and again. */
function isOthers(call: string): boolean {
  return / \/(?:nix\/store|proc|sys)\//.test(call);
}

export interface OrderedCalls {
  /** Numbers of calls, from 1: the first `kinds` are one of each kind, then come those of our own code. */
  readonly order: readonly number[];
  readonly kinds: number;
  /** How many are of a kind of their own or not of others' code. */
  readonly own: number;
}

/** The same for the same calls and seed. */
export function orderOf(calls: readonly string[], seed: number): OrderedCalls {
  const lots = lotsOf(calls, seed);
  const drawn = [...calls.keys()].sort((a, b) => ((lots[a] as string) < (lots[b] as string) ? -1 : 1));
  const firsts = [...Map.groupBy(drawn, (at) => kindOfCall(calls[at] as string)).values()].map(
    ([first]) => first as number,
  );
  const chosen = new Set(firsts);
  const left = drawn.filter((at) => !chosen.has(at));
  const own = left.filter((at) => !isOthers(calls[at] as string));
  const rest = left.filter((at) => isOthers(calls[at] as string));
  const order = [...firsts, ...own, ...rest].map((at) => at + 1);
  return { order, kinds: firsts.length, own: firsts.length + own.length };
}

/** What a call of this name may fail with; file systems give EIO and EACCES also where the manual page has neither. */
const ERRORS: readonly (readonly [names: string, errors: readonly string[]])[] = [
  ['read pread64', ['EIO', 'EINTR']],
  ['write pwrite64 pwritev pwritev2 writev fallocate', ['ENOSPC', 'EIO', 'EINTR']],
  ['fsync fdatasync', ['ENOSPC', 'EIO', 'EINTR']],
  ['openat-to-write open-to-write creat', ['ENOSPC', 'EIO', 'EACCES', 'EMFILE', 'EINTR']],
  ['openat open openat2', ['EIO', 'EACCES', 'EMFILE', 'EINTR']],
  [
    'rename renameat renameat2 link linkat mkdir mkdirat symlink symlinkat mknod mknodat',
    ['ENOSPC', 'EIO', 'EACCES'],
  ],
  ['unlink unlinkat rmdir chmod fchmod fchmodat chown lchown fchown fchownat', ['EIO', 'EACCES']],
  ['utimensat utime utimes futimesat removexattr lremovexattr', ['EIO', 'EACCES']],
  ['setxattr lsetxattr', ['ENOSPC', 'EIO', 'EACCES']],
  ['fsetxattr', ['ENOSPC', 'EIO']],
  ['fremovexattr', ['EIO']],
  ['splice', ['EINTR']],
  ['stat lstat newfstatat statx access faccessat readlink readlinkat chdir chroot statfs', ['EIO', 'EACCES']],
  ['copy_file_range', ['ENOSPC', 'EIO']],
  ['sendfile ioctl', ['EIO']], // of ioctl(2) FICLONE, which gives up where two files share nothing
  ['ftruncate', ['EIO', 'EINTR']],
  ['truncate', ['EIO', 'EACCES', 'EINTR']],
  ['mmap', ['EACCES', 'ENOMEM']],
  ['fstat getdents64 lseek', ['EIO']],
  ['fchdir', ['EIO', 'EACCES']],
  ['getcwd', ['EACCES']],
  ['execve execveat', ['EIO', 'EACCES', 'EMFILE']],
  ['pipe2 memfd_create', ['EMFILE']],
  ['dup3 fcntl', ['EMFILE', 'EINTR']],
  ['fcntl-to-lock flock', ['ENOLCK', 'EINTR']],
  // A signal interrupts it only before a lock is checked or acquired (fcntl(2), "EINTR").
  ['fcntl-to-unlock', ['ENOLCK']],
  ['socket', ['EMFILE', 'EACCES']],
  ['connect', ['EACCES', 'EINTR']],
  ['wait4 poll', ['EINTR']],
  ['clone vfork', ['EAGAIN']],
  // Node's threads: it waits for ever for one that it could not make, before any line of ours.
  ['clone3', []],
  ['unshare', ['ENOSPC', 'EACCES']],
  ['mount open_tree move_mount umount2 pivot_root', ['EIO', 'EACCES']],
];

/** Of a line of `callsOf`. */
export function errorsOf(call: string): readonly string[] {
  const [name = ''] = call.split(' ', 1);
  const found = ERRORS.find(([names]) => names.split(' ').includes(name));
  if (found === undefined) throw new Error(`no errors are known of ${name}`);
  // Also sockets: most are Node's own pairs, and which are not only netlink tells (sock_diag(7)).
  const isNoFile = / (?:pipe|socket|anon_inode):/.test(call);
  return isNoFile ? found[1].filter((error) => error === 'EINTR') : found[1];
}
