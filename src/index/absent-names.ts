// A library name that no current nixpkgs has → why, and what to do about it.
import { nixBuild } from './nix-build-line.ts';

/** `never`: it is another distribution's name; `dropped`: nixpkgs had it; `driver`: it belongs to the machine. */
export interface AbsentName {
  readonly kind: 'never' | 'dropped' | 'driver';
  /** One clause, to stand behind the name: "is Debian's name; ...". */
  readonly why: string;
  /** One clause: what the user can do. Of a command `PROGRAM` is to be replaced. */
  readonly remedy: string;
  /** The same library under the name that nixpkgs has, where its ABI is the same. */
  readonly alias?: string;
}

type AbsentRow = readonly [
  pattern: RegExp,
  kind: AbsentName['kind'],
  why: string,
  remedy: string | ((system: string) => string),
  alias?: string,
];

const older = (what: string) =>
  `take ${what} from an older nixpkgs, or name an index of old packages (index in config.toml)`;
const built = (attribute: string) => (system: string) =>
  `bring it, from an older nixpkgs where this one lacks it: ${nixBuild([attribute], system)}`;
const BY_HAND = 'choose it by hand: nix-foreign choose PROGRAM --pin NAME=/nix/store/...';
const bundle = (name: string) =>
  `bring ${name} beside the program, or get a build of the program for another distribution`;
const same = (name: string) =>
  `take ${name}: nix-foreign choose PROGRAM --pin NAME=/nix/store/.../lib/${name}`;

/**
 * From the removals named: nixpkgs pull requests 74855 (libffi 3.3), 111215, 150880, 232521, 287845, 322277, 356387,
 * 358909, 397258, 409013, 410814, 427813, 442977, 450065, 490538, 544888, 545128; Debian's and Fedora's package lists.
 */
const ROWS: readonly AbsentRow[] = [
  [
    /^lib(ssl|crypto)\.so\.1\.1$/,
    'dropped',
    'belongs to OpenSSL 1.1, which nixpkgs marked insecure in 2023 and dropped in 2026',
    older('openssl_1_1'),
  ],
  [
    /^lib(ssl|crypto)\.so\.1\.0\.0$/,
    'dropped',
    'belongs to OpenSSL 1.0, which nixpkgs dropped in 2021',
    older('openssl_1_0_2'),
  ],
  [
    /^lib(ssl|crypto)\.so\.10$/,
    'never',
    "is Red Hat's name of OpenSSL 1.0; nixpkgs called it libssl.so.1.0.0, and dropped it in 2021",
    bundle('OpenSSL 1.0'),
  ],
  [
    /^lib(ssl|crypto)\.so\.1\.0\.2$/,
    'never',
    "is Debian 9's name of OpenSSL 1.0; nixpkgs called it libssl.so.1.0.0, and dropped it in 2021",
    bundle('OpenSSL 1.0'),
  ],
  [
    /^libpcre\.so\.3$/,
    'never',
    "is Debian's name; nixpkgs has libpcre.so.1, the same library",
    same('libpcre.so.1'),
    'libpcre.so.1',
  ],
  [
    /^libpcreposix\.so\.3$/,
    'never',
    "is Debian's name; nixpkgs has libpcreposix.so.0, the same library",
    same('libpcreposix.so.0'),
    'libpcreposix.so.0',
  ],
  [
    /^libaio\.so\.1t64$/,
    'never',
    "is Debian's name; nixpkgs has libaio.so.1, the same library",
    same('libaio.so.1'),
    'libaio.so.1',
  ],
  [/^libldap(_r)?-2\.[45]\.so\.[02]$/, 'never', "is Debian's name; nixpkgs has libldap.so.2", BY_HAND],
  [/^liblber-2\.[45]\.so\.[02]$/, 'never', "is Debian's name; nixpkgs has liblber.so.2", BY_HAND],
  [/^libcurl-gnutls\.so\.3$/, 'never', "is Debian's name; nixpkgs has libcurl-gnutls.so.4", BY_HAND],
  [
    /^libcurl-nss\.so\.4$/,
    'never',
    "is Debian's name; nixpkgs has libcurl.so.4, built with OpenSSL",
    BY_HAND,
  ],
  [
    /^libjpeg\.so\.8$/,
    'never',
    "is Ubuntu's name of libjpeg-turbo with another ABI; nixpkgs has libjpeg.so.62",
    'build it: libjpeg.override { enableJpeg8 = true; }, then choose it by hand',
  ],
  [/^libffi\.so\.6$/, 'dropped', 'belongs to libffi 3.2, which nixpkgs had until 2019', older('libffi')],
  [
    /^libffi\.so\.7$/,
    'dropped',
    'belongs to libffi 3.3, which nixpkgs has as libffi_3_3 at most',
    built('libffi_3_3'),
  ],
  [
    /^libgcrypt\.so\.11$/,
    'dropped',
    'belongs to libgcrypt 1.5, which nixpkgs marked insecure in 2021',
    older('libgcrypt_1_5'),
  ],
  [
    /^libstdc\+\+\.so\.5$/,
    'dropped',
    'belongs to GCC 3.3, whose library nixpkgs dropped in 2024',
    older('libstdcxx5'),
  ],
  [
    /^libgfortran\.so\.3$/,
    'dropped',
    'belongs to GCC 6 and older, which nixpkgs dropped',
    older('gfortran6'),
  ],
  [
    /^libreadline\.so\.6$/,
    'dropped',
    'belongs to readline 6, which nixpkgs dropped in 2024',
    older('readline6'),
  ],
  [
    /^libreadline\.so\.7$/,
    'dropped',
    'belongs to readline 7, which nixpkgs has as readline70 at most',
    older('readline70'),
  ],
  [/^libtiff\.so\.5$/, 'dropped', 'belongs to libtiff before 4.5, of 2022', older('libtiff')],
  [/^libtbb\.so\.2$/, 'dropped', 'belongs to TBB 2020, which nixpkgs dropped in 2025', older('tbb_2020')],
  [
    /^libwebkit2gtk-4\.0\.so\.37$/,
    'dropped',
    'needs libsoup 2.4, which nixpkgs marked insecure in 2025',
    older('webkitgtk_4_0'),
  ],
  [
    /^libjavascriptcoregtk-4\.0\.so\.18$/,
    'dropped',
    'needs libsoup 2.4, which nixpkgs marked insecure in 2025',
    older('webkitgtk_4_0'),
  ],
  [
    /^libsoup-2\.4\.so\.1$/,
    'dropped',
    'belongs to libsoup 2.4, which nixpkgs marked insecure in 2025',
    older('libsoup_2_4'),
  ],
  [
    /^libgconf-2\.so\.4$/,
    'dropped',
    'belongs to GConf, which nixpkgs dropped in 2026',
    older('gnome2.GConf'),
  ],
  [
    /^libglade-2\.0\.so\.0$/,
    'dropped',
    'belongs to libglade, which nixpkgs dropped in 2026',
    older('gnome2.libglade'),
  ],
  [
    /^libpython(2\.7|3\.[4-9]|3\.10)\.so\.1\.0$/,
    'dropped',
    'belongs to a Python that nixpkgs marked insecure or dropped',
    older('that Python'),
  ],
  [/^libidn\.so\.11$/, 'dropped', 'belongs to libidn before 1.34, of 2018', older('libidn')],
  [/^libnettle\.so\.6$/, 'dropped', 'belongs to nettle 3.4, of 2018', older('nettle')],
  [/^libhogweed\.so\.4$/, 'dropped', 'belongs to nettle 3.4, of 2018', older('nettle')],
  [/^libunistring\.so\.2$/, 'dropped', 'belongs to libunistring 0.9, of 2018', older('libunistring')],
  [/^libavcodec\.so\.(5[3-9])$/, 'dropped', 'belongs to an FFmpeg that nixpkgs dropped', older('ffmpeg')],
  [
    /^libpng15\.so\.15$/,
    'never',
    "is Red Hat 7's name; nixpkgs has libpng16.so.16, which is another ABI",
    bundle('libpng 1.5'),
  ],
  [
    /^libncurses(w)?\.so\.5$|^libtinfo\.so\.5$/,
    'dropped',
    'has the old ABI of ncurses, which nixpkgs has as ncurses5 at most',
    built('ncurses5'),
  ],
  [
    /^lib(cuda|nvidia-[\w-]+|nvcuvid|nvoptix|GLX_nvidia|EGL_nvidia|GLESv[12]_(CM_)?nvidia)\.so(\.|$)/,
    'driver',
    'belongs to the driver of the graphics card and must fit the kernel',
    'install the driver of this machine: /run/opengl-driver/lib on NixOS',
  ],
];

/** What is known of a name that nothing has; `system`: the program's, empty where nobody knows. */
export function absentName(name: string, system: string): AbsentName | undefined {
  const row = ROWS.find(([pattern]) => pattern.test(name));
  if (row === undefined) return undefined;
  const [, kind, why, remedy, alias] = row;
  const text = typeof remedy === 'string' ? remedy.replace('NAME', name) : remedy(system);
  return { kind, why, remedy: text, ...(alias === undefined ? {} : { alias }) };
}

/** Names that are never taken from an index. */
export function isDriverName(name: string): boolean {
  return absentName(name, '')?.kind === 'driver';
}
