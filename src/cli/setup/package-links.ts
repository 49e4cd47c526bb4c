// An installed package → where its command `nix-run-foreign` leads, and the launcher put there.
import {
  existsSync,
  linkSync,
  lstatSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import path from 'node:path';
import { temporaryName } from '../../host/atomic-file.ts';

const COMMAND = 'nix-run-foreign';

/** Where an entry of PATH leads. `shim`: a script of a package manager that starts Node with our file, as pnpm's. */
export type CommandLink =
  | { readonly kind: 'ours' | 'shim' | 'other'; readonly file: string }
  | { readonly kind: 'none' };

export interface Package {
  /** Where the launcher is. */
  readonly launcher: string;
  /** What package.json names as the command: JavaScript, until the launcher takes its place. */
  readonly command: string;
}

/** The package that a launcher belongs to. */
export function packageOf(launcher: string): Package {
  return { launcher, command: `${launcher}.mjs` };
}

function isSameFile(left: string, right: string): boolean {
  try {
    const [a, b] = [statSync(left), statSync(right)];
    return a.ino === b.ino && a.dev === b.dev;
  } catch {
    return false;
  }
}

function kindOf(file: string, { launcher, command }: Package): 'ours' | 'shim' | 'other' {
  if (isSameFile(file, launcher) || isSameFile(file, command)) return 'ours';
  const isScript = readFileSync(file).subarray(0, 4096).toString('latin1').includes(path.basename(command));
  return isScript ? 'shim' : 'other';
}

/** What somebody starts who types the command. */
export function commandLinkOnPath(ours: Package, searchPath: string | undefined): CommandLink {
  for (const directory of (searchPath ?? '').split(':')) {
    const file = path.join(directory, COMMAND);
    if (directory.startsWith('/') && existsSync(file)) return { kind: kindOf(file, ours), file };
  }
  return { kind: 'none' };
}

/** npm links commands in `node_modules/.bin`, and those of `npm install --global` in `PREFIX/bin` (npm folders(5)). */
function linkedByNpm({ command }: Package): boolean {
  const own = path.dirname(path.dirname(command));
  const places = [path.resolve(own, '../.bin', COMMAND), path.resolve(own, '../../../bin', COMMAND)];
  return places.some((file) => {
    try {
      return lstatSync(file).isSymbolicLink() && realpathSync(file) === realpathSync(command);
    } catch {
      return false;
    }
  });
}

/** In a checkout the command is a source; and Node, which a shim starts, could not read the launcher. */
export function mayReplace(ours: Package, link: CommandLink): boolean {
  const isCheckout = existsSync(path.resolve(path.dirname(ours.command), '../scripts'));
  return !isCheckout && link.kind !== 'shim' && (link.kind === 'ours' || linkedByNpm(ours));
}

export function isReplaced({ launcher, command }: Package): boolean {
  return isSameFile(launcher, command);
}

/**
 * One file under both names, so that links to either start it; whoever starts it meanwhile finds the old one or the
 * new.
 */
export function replaceCommand({ launcher, command }: Package): void {
  const temporary = temporaryName(command);
  try {
    linkSync(launcher, temporary);
    renameSync(temporary, command);
  } finally {
    // rename(2) does nothing where both names are one file already.
    rmSync(temporary, { force: true });
  }
}
