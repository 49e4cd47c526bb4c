// The system profile, the graphics driver and the store → the data below /usr/share that programs open by path and
// this machine lacks there.
import { existsSync } from 'node:fs';
import path from 'node:path';
import { namesIn } from '../host/files.ts';

interface SharedData {
  /** What is opened. */
  readonly place: string;
  /** Where it may be instead, best first. */
  readonly instead: readonly string[];
  /** What must be in it for it to be that, where a profile may have a part of it. */
  readonly needs?: string;
  /** Name of a store object that has it, and where in it. */
  readonly object?: RegExp;
  readonly inside?: string;
  /** A program that opens it by that path, with nothing to point it elsewhere. */
  readonly wantedBy: string;
}

/** Of NixOS' driver (nixpkgs, nixos/modules/hardware/graphics.nix); nixpkgs' own loaders of drivers look there. */
const ofDriver = (name: string): string => `/run/opengl-driver/share/${name}`;
/** Its name has been both. */
const LIBX11 = /^[a-z0-9]{32}-lib[xX]11-(\d[\w.-]*)$/;
const sw = (name: string): string => `/run/current-system/sw/share/${name}`;

export const SHARED_DATA: readonly SharedData[] = [
  {
    place: '/usr/share/zoneinfo',
    instead: ['/etc/zoneinfo', sw('zoneinfo')],
    object: /^[a-z0-9]{32}-tzdata-(\d[\w.-]*)$/,
    inside: 'share/zoneinfo',
    wantedBy: "the JVM's and Go's time zones, Python's zoneinfo, postgres' initdb",
  },
  {
    place: '/usr/share/X11/xkb',
    instead: [sw('X11/xkb')],
    needs: 'rules',
    object: /^[a-z0-9]{32}-xkeyboard-config-(\d[\w.-]*)$/,
    inside: 'share/X11/xkb',
    wantedBy: 'libxkbcommon in Electron, Qt and SDL programs: the keyboard map',
  },
  {
    place: '/usr/share/X11/locale',
    instead: [sw('X11/locale')],
    needs: 'compose.dir',
    object: LIBX11,
    inside: 'share/X11/locale',
    wantedBy: 'libxkbcommon and libX11: Compose and dead keys',
  },
  {
    place: '/usr/share/X11/XErrorDB',
    instead: [sw('X11/XErrorDB')],
    object: LIBX11,
    inside: 'share/X11/XErrorDB',
    wantedBy: 'libX11: what it says of errors',
  },
  {
    place: '/usr/share/X11/app-defaults',
    instead: [sw('X11/app-defaults')],
    wantedBy: 'libXt: how Motif programs, xterm and the like look',
  },
  {
    place: '/usr/share/fonts',
    instead: [sw('X11/fonts'), sw('fonts')],
    wantedBy: "fontconfig's default, Java's font lookup",
  },
  {
    place: '/usr/share/icons',
    instead: [sw('icons')],
    wantedBy: 'GTK and Qt programs: cursor and icon themes',
  },
  { place: '/usr/share/mime', instead: [sw('mime')], wantedBy: 'file choosers of GTK, Qt and Electron' },
  {
    place: '/usr/share/terminfo',
    instead: [sw('terminfo')],
    wantedBy: 'ncurses of Debian and Fedora: top, vim, gdb',
  },
  {
    place: '/usr/share/locale',
    instead: [sw('locale')],
    wantedBy: 'gettext: messages of programs that look nowhere else',
  },
  {
    place: '/usr/share/ca-certificates',
    instead: [sw('ca-certificates')],
    object: /^[a-z0-9]{32}-nss-cacert-(\d[\w.-]*)$/,
    inside: 'etc/ssl/certs',
    wantedBy: 'update-ca-certificates and installers that copy from there',
  },
  {
    place: '/usr/share/vulkan',
    instead: [ofDriver('vulkan')],
    wantedBy:
      "vendors' Vulkan loaders, where XDG_DATA_DIRS is not set: LunarG's SDK, Chrome, Android's emulator",
  },
  {
    place: '/usr/share/glvnd',
    instead: [ofDriver('glvnd')],
    wantedBy: "libglvnd of other distributions: EGL's drivers",
  },
  {
    place: '/usr/lib/locale',
    instead: ['/run/current-system/sw/lib/locale'],
    wantedBy: "glibc's setlocale where LOCALE_ARCHIVE is not read (loaders of other distributions)",
  },
];

function byVersion([, a = '']: RegExpExecArray, [, b = '']: RegExpExecArray): number {
  return b.localeCompare(a, 'en', { numeric: true });
}

function inStore({ object, inside }: SharedData, names: () => readonly string[], storeDir: string): string[] {
  if (object === undefined || inside === undefined) return [];
  const found = names()
    .map((name) => object.exec(name))
    .filter((match) => match !== null);
  return found.sort(byVersion).map(([name]) => path.join(storeDir, name, inside));
}

/** Place → the directory to show there; only what is to be had. */
export function findSharedData(storeDir: string): Map<string, string> {
  let names: readonly string[] | undefined;
  const list = (): readonly string[] => {
    names ??= namesIn(storeDir);
    return names;
  };
  const found = SHARED_DATA.map((each): [string, string | undefined] => {
    const held = each.instead.find((file) => existsSync(path.join(file, each.needs ?? '')));
    return [each.place, held ?? inStore(each, list, storeDir).find((file) => existsSync(file))];
  });
  return new Map(found.flatMap(([place, file]) => (file === undefined ? [] : [[place, file] as const])));
}
