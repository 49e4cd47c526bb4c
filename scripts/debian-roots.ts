// A release of Debian → a directory with its programs and their libraries, as they lie on a machine of it; and commands
// run in it, where every change is kept aside.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { preparePrivateApt, preparePrivateAptWithNewerKeys } from '../test/rig/packages/private-apt.ts';
import type { Suite } from '../test/rig/packages/selection.ts';

/** What people have on a machine of theirs, and what the programs are looked at with. */
const PACKAGES = [
  ...[
    'coreutils',
    'util-linux',
    'bsdutils',
    'bsdextrautils',
    'findutils',
    'diffutils',
    'grep',
    'sed',
    'gawk',
  ],
  ...[
    'tar',
    'gzip',
    'bzip2',
    'xz-utils',
    'zstd',
    'lz4',
    'p7zip',
    'unzip',
    'zip',
    'file',
    'less',
    'bash',
    'dash',
  ],
  ...['zsh', 'procps', 'psmisc', 'iproute2', 'iputils-ping', 'net-tools', 'kmod', 'e2fsprogs', 'dosfstools'],
  ...[
    'curl',
    'wget',
    'openssl',
    'openssh-client',
    'gnupg',
    'rsync',
    'git',
    'lftp',
    'dnsutils',
    'tcpdump',
    'socat',
  ],
  ...['perl', 'python3', 'ruby', 'lua5.4', 'nodejs', 'sqlite3', 'postgresql-client', 'redis-tools', 'jq'],
  ...[
    'gcc',
    'g++',
    'make',
    'gdb',
    'strace',
    'ltrace',
    'binutils',
    'patchelf',
    'elfutils',
    'cmake',
    'ninja-build',
  ],
  ...['vim', 'nano', 'tmux', 'screen', 'ffmpeg', 'imagemagick', 'graphviz', 'ghostscript', 'poppler-utils'],
  ...['libxml2-utils', 'xsltproc', 'exiftool', 'pandoc', 'sox', 'mpv', 'x11-utils', 'mesa-utils', 'qpdf'],
];

const MERGED = ['bin', 'sbin', 'lib', 'lib64'];

async function aptOf(suite: Suite, directory: string) {
  return await preparePrivateAptWithNewerKeys(suite, path.join(directory, `apt-${suite}`), () =>
    preparePrivateApt('bookworm', path.join(directory, 'apt-bookworm')),
  );
}

function unpack(archive: string, root: string): void {
  const text = 'dpkg-deb --fsys-tarfile "$1" | tar -x --keep-directory-symlink -C "$2"';
  const { status, stderr } = spawnSync('sh', ['-c', text, 'sh', archive, root], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${archive}: ${stderr}`);
}

function unpackAll(archives: string, root: string): void {
  for (const name of MERGED) {
    mkdirSync(path.join(root, 'usr', name), { recursive: true });
    symlinkSync(`usr/${name}`, path.join(root, name));
  }
  for (const name of readdirSync(archives).filter((each) => each.endsWith('.deb')))
    unpack(path.join(archives, name), root);
}

/** Made once; some 3 GB. */
export async function debianRoot(suite: Suite, directory: string): Promise<string> {
  const root = path.join(directory, `root-${suite}`);
  if (existsSync(root)) return root;
  const apt = await aptOf(suite, directory);
  const env = { ...process.env, APT_CONFIG: apt.configuration };
  const known = PACKAGES.filter(
    (each) => spawnSync('apt-cache', ['show', '--no-all-versions', each], { env }).status === 0,
  );
  const words = ['install', '-qq', '-y', '--download-only', '--no-install-recommends', ...known];
  const { status, stderr } = spawnSync('apt-get', words, { env, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${suite}: ${stderr}`);
  const made = mkdtempSync(`${root}.`);
  try {
    unpackAll(path.join(apt.directory, 'cache/archives'), made);
    renameSync(made, root);
  } finally {
    rmSync(made, { recursive: true, force: true });
  }
  rmSync(path.join(apt.directory, 'cache'), { recursive: true });
  return root;
}

/** With these directories of this machine in it. As root; the exit status. */
export function runInRoot(root: string, shown: readonly string[], argv: readonly string[]): number | null {
  const text = `set -e
    mount --make-rprivate /
    mount -t tmpfs tmpfs /mnt
    mkdir /mnt/upper /mnt/work /mnt/root
    mount -t overlay overlay -o "lowerdir=$1,upperdir=/mnt/upper,workdir=/mnt/work" /mnt/root
    mkdir -p /mnt/root/proc /mnt/root/dev /mnt/root/tmp
    chmod 1777 /mnt/root/tmp
    mount --rbind /proc /mnt/root/proc
    mount --rbind /dev /mnt/root/dev
    shift
    while [ "$1" != -- ]; do
      mkdir -p "/mnt/root$1"
      mount --rbind "$1" "/mnt/root$1"
      shift
    done
    shift
    exec chroot /mnt/root "$@"`;
  const args = ['--mount', 'sh', '-c', text, 'sh', root, ...shown, '--', ...argv];
  return spawnSync('unshare', args, { stdio: 'inherit' }).status;
}
