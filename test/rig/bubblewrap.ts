// How a root is furnished → the arguments of bubblewrap that make it.
import { dirname, join } from 'node:path';
import type { Rig } from './rig.ts';
import type { Bind } from './root.ts';

/** HOME inside every root. */
export const homeInRoot = '/home/tester';

const interpreterPath = '/lib64/ld-linux-x86-64.so.2';

/** What bubblewrap needs to know of a root. */
export interface RootSettings {
  /** Holds the root's own `home`, `tmp` and `etc`. */
  readonly directory: string;
  readonly rig: Rig;
  /** What /lib64/ld-linux-x86-64.so.2 is. */
  readonly interpreter: string | undefined;
  readonly binds: readonly Bind[];
  readonly readOnly: readonly ('home' | 'nix' | 'tmp')[];
}

/**
 * The root holds /nix (the namespace's own), /proc, /dev, /tmp, /etc, a home, the foreign programs of the rig at their
 * own path, the binds, and nothing else. It has a process namespace of its own, so that `nix-store --gc` sees no
 * process of another test; and all capabilities, as root has them on a real machine.
 */
export function bubblewrapArguments(
  settings: RootSettings,
  env: Readonly<Record<string, string | undefined>>,
  cwd: string,
): string[] {
  const at = (name: string) => join(settings.directory, name);
  const foreign = join(settings.rig.dir, 'foreign');
  const { interpreter, readOnly } = settings;
  const bind = (name: 'home' | 'nix' | 'tmp') => (readOnly.includes(name) ? '--ro-bind' : '--bind');
  const above = directoriesAbove([
    homeInRoot,
    ...(interpreter ? [interpreterPath] : []),
    foreign,
    ...settings.binds.map(({ from, to }) => to ?? from),
  ]);
  return [
    ...['--unshare-pid', '--die-with-parent', '--cap-add', 'ALL', '--clearenv'],
    ...made(above.filter((each) => !own.includes(topOf(each)))),
    ...[bind('nix'), '/nix', '/nix', '--proc', '/proc', '--dev', '/dev'],
    ...[bind('tmp'), at('tmp'), '/tmp', bind('home'), at('home'), homeInRoot, '--ro-bind', at('etc'), '/etc'],
    // A checkout or a rig may lie below /tmp.
    ...(readOnly.includes('tmp') ? [] : made(above.filter((each) => each.startsWith('/tmp/')))),
    ...['--ro-bind', foreign, foreign],
    ...placed(interpreter),
    ...settings.binds.flatMap(({ from, to, mode }) => [
      mode === 'read-only' ? '--ro-bind' : '--bind',
      from,
      to ?? from,
    ]),
    ...Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : ['--setenv', name, value])),
    ...['--chdir', cwd],
  ];
}

/** On NixOS the interpreter's path is a link into the store; a file of the host is bound there. */
function placed(interpreter: string | undefined): string[] {
  if (!interpreter) return [];
  return [interpreter.startsWith('/nix/store/') ? '--symlink' : '--ro-bind', interpreter, interpreterPath];
}

/** Mounts of the root itself: what is made there before is hidden by them. */
const own = ['/nix', '/proc', '/dev', '/tmp', '/etc'];
const topOf = (path: string) => `/${path.split('/')[1]}`;

function directoriesAbove(paths: readonly string[]): string[] {
  const above = new Set<string>();
  for (const path of paths) {
    for (let parent = dirname(path); parent !== '/'; parent = dirname(parent)) above.add(parent);
  }
  return [...above].sort();
}

/** bubblewrap makes missing parents for its own user only (mode 0700); here other users shall pass. */
function made(directories: readonly string[]): string[] {
  return directories.flatMap((path) => ['--perms', '0755', '--dir', path]);
}
