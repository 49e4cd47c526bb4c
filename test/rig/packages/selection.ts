// What the rig holds at each level: suites, foreign programs, libraries nobody needs by name, programs of the store.

export type Suite = 'bullseye' | 'bookworm' | 'trixie' | 'sid';
/** `arm64`: a machine of its own, of programs and libraries for aarch64, but for Nix. */
export type Level = 'small' | 'full' | 'arm64';

/** A foreign program, described so that it survives new versions: the first executable matching `file`. */
export interface WantedProgram {
  readonly suite: Suite;
  readonly name: string;
  /** What to ask apt for; the file may be in one of its dependencies. */
  readonly package: string;
  /** Matches the path in the package, from its root, without leading slash. */
  readonly file: RegExp;
  /** A run that needs no data file and prints something known. */
  readonly args: readonly string[];
  /** Source of a regular expression that stdout and stderr together match. */
  readonly expect: string;
}

export interface Selection {
  readonly programs: readonly WantedProgram[];
  /** Packages of the store besides the dependencies of the programs, per suite. */
  readonly libraries: Readonly<Partial<Record<Suite, readonly string[]>>>;
  /** Packages whose executables become store objects, per suite. */
  readonly executables: Readonly<Partial<Record<Suite, readonly string[]>>>;
}

type Row = readonly [name: string, pkg: string, file: RegExp, args: readonly string[], expect: string];

function programs(suite: Suite, rows: readonly Row[]): WantedProgram[] {
  return rows.map(([name, pkg, file, args, expect]) => ({ suite, name, package: pkg, file, args, expect }));
}

const curl: Row = ['curl', 'curl', /^usr\/bin\/curl$/, ['--version'], 'libcurl/\\d'];
const ruby: Row = ['ruby', 'ruby', /^usr\/bin\/ruby\d[\d.]*$/, ['--version'], '^ruby \\d'];
const sqlite: Row = ['sqlite3', 'sqlite3', /^usr\/bin\/sqlite3$/, [':memory:', 'select 6*7;'], '^42$'];
const git: Row = ['git', 'git', /^usr\/bin\/git$/, ['--version'], '^git version'];
const python: Row = ['python3', 'python3', /^usr\/bin\/python3\.\d+$/, ['--version'], '^Python 3'];
const nano: Row = ['nano', 'nano', /^(usr\/)?bin\/nano$/, ['--version'], 'GNU nano'];
const socat: Row = ['socat', 'socat', /^usr\/bin\/socat1?$/, ['-V'], '^socat version'];
const lftp: Row = ['lftp', 'lftp', /^usr\/bin\/lftp$/, ['--version'], '^LFTP'];
const jq: Row = ['jq', 'jq', /^usr\/bin\/jq$/, ['-n', '6*7'], '^42$'];
const redis: Row = ['redis-cli', 'redis-tools', /^usr\/bin\/redis-cli$/, ['--version'], '^redis-cli'];
const rsvg: Row = ['rsvg-convert', 'librsvg2-bin', /^usr\/bin\/rsvg-convert$/, ['--version'], '^rsvg-conv'];
const ffmpeg: Row = ['ffmpeg', 'ffmpeg', /^usr\/bin\/ffmpeg$/, ['-version'], '^ffmpeg version'];
const gdb: Row = ['gdb', 'gdb', /^usr\/bin\/gdb$/, ['--version'], 'GNU gdb'];
const xmllint: Row = [
  'xmllint',
  'libxml2-utils',
  /^usr\/bin\/xmllint$/,
  ['--version'],
  'using libxml version',
];
const psql: Row = [
  'psql',
  'postgresql-client',
  /^usr\/lib\/postgresql\/\d+\/bin\/psql$/,
  ['--version'],
  '^psql',
];

const bookworm: Row[] = [
  curl,
  ruby,
  sqlite,
  git,
  python,
  nano,
  socat,
  jq,
  redis,
  rsvg,
  ffmpeg,
  lftp,
  psql,
  ['ffprobe', 'ffmpeg', /^usr\/bin\/ffprobe$/, ['-version'], '^ffprobe version'],
  ['vim', 'vim', /^usr\/bin\/vim\.basic$/, ['--version'], 'VIM - Vi IMproved'],
  ['gs', 'ghostscript', /^usr\/bin\/gs$/, ['--version'], '^\\d+\\.\\d+'],
  ['php', 'php-cli', /^usr\/bin\/php\d[\d.]*$/, ['-n', '-r', 'echo 6*7, "\\n";'], '^42$'],
  ['nginx', 'nginx-light', /^usr\/sbin\/nginx$/, ['-v'], 'nginx version'],
  ['convert', 'imagemagick', /^usr\/bin\/convert-im6\.q16$/, ['-version'], 'ImageMagick'],
  ['w3m', 'w3m', /^usr\/bin\/w3m$/, ['-version'], 'w3m version'],
  ['openssl', 'openssl', /^usr\/bin\/openssl$/, ['version'], '^OpenSSL 3'],
  ['bzip2-32', 'bzip2:i386', /^bin\/bzip2$/, ['--help'], 'block-sorting file compressor'],
];
const bullseye: Row[] = [
  curl,
  ruby,
  sqlite,
  git,
  socat,
  lftp,
  jq,
  psql,
  xmllint,
  ['nodejs', 'nodejs', /^usr\/bin\/node$/, ['-p', '6*7'], '^42$'],
  ['gnuplot', 'gnuplot-nox', /^usr\/bin\/gnuplot-nox$|^usr\/bin\/gnuplot$/, ['--version'], '^gnuplot \\d'],
  ['vim', 'vim-nox', /^usr\/bin\/vim\.nox$/, ['--version'], 'VIM - Vi IMproved'],
];
const trixie: Row[] = [
  curl,
  ruby,
  sqlite,
  git,
  python,
  jq,
  redis,
  rsvg,
  ffmpeg,
  ['nvim', 'neovim', /^usr\/bin\/nvim$/, ['--version'], '^NVIM v'],
  ['mpv', 'mpv', /^usr\/bin\/mpv$/, ['--version'], '^mpv '],
];
const sid: Row[] = [curl, ruby, sqlite, git, nano, lftp, jq, gdb, xmllint];

const always = ['libgcc-s1', 'libstdc++6'];
const shell = ['bash', 'coreutils'];
const ofArm64 = (name: string): string => `${name}:arm64`;

export const selections: Readonly<Record<Level, Selection>> = {
  small: {
    programs: programs('bookworm', [curl]),
    libraries: { bookworm: always },
    executables: { bookworm: ['nix-bin', ...shell] },
  },
  arm64: {
    programs: programs('bookworm', [curl, sqlite, jq]).map((each) => ({
      ...each,
      package: ofArm64(each.package),
    })),
    libraries: { bookworm: always.map(ofArm64) },
    executables: { bookworm: ['nix-bin', ...shell.map(ofArm64)] },
  },
  full: {
    programs: [
      ...programs('bookworm', bookworm),
      ...programs('bullseye', bullseye),
      ...programs('trixie', trixie),
      ...programs('sid', sid),
    ],
    libraries: {
      bookworm: [
        ...always,
        'libncurses5',
        'libtinfo5',
        'libncurses6',
        'musl',
        'libgcc-s1:i386',
        'zlib1g:i386',
      ],
      bullseye: [...always, 'libncurses5', 'libtinfo5', 'libffi7', 'libicu67', 'libxml2'],
      trixie: [...always, 'libxml2', 'libffi8', 'libncurses6', 'libicu76'],
      sid: [...always, 'libffi8', 'libncurses6', 'zlib1g'],
    },
    executables: {
      bookworm: ['nix-bin', ...shell, 'patchelf', 'binutils'],
      trixie: ['nix-bin'],
      sid: ['nix-bin'],
    },
  },
};

/**
 * Packages of a closure that are left out: base system tools that hold no library anybody here needs, and
 * drivers that are only ever loaded by dlopen and are larger than everything else together.
 */
export const leftOut =
  /^(dpkg|perl|perl-base|passwd|login|tar|mount|util-linux|systemd.*|udev|dbus.*|debconf|adduser|libc-bin|sed|grep|findutils|init.*|libllvm.*|libgl1-mesa-dri|mesa-.*|libz3-.*|libpython.*-stdlib|git-man|ucf|rake|gcc-.*-base|.*-data|.*-common|.*-doc)$/;
