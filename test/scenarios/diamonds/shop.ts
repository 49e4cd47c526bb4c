// C text → libraries in the store objects of a root, each with the run path it would have from Nix, and programs.
import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { homeInRoot } from '../../rig/root.ts';
import { compile } from '../compile.ts';
import { onHost } from '../foreign-files.ts';
import { storeFileOnHost } from '../saved-state.ts';
import type { ToolRoot } from '../tool.ts';

/** A library of the store. */
export interface Made {
  /** The directory of the file, as seen in the root. */
  readonly directory: string;
  /** The file, as a path of the host. */
  readonly host: string;
}

export interface Wanted {
  readonly soname: string;
  readonly source: string;
  /** Linked with these; the run path leads to their directories. */
  readonly needs?: readonly Made[];
  /** Text of a version script. */
  readonly versions?: string;
  readonly flags?: readonly string[];
  /** Name of the file where it is not the soname. */
  readonly file?: string;
}

export interface Shop {
  /** A library in a new store object of this name. */
  library(object: string, wanted: Wanted): Promise<Made>;
  /** A library that the rig has: the first object whose name matches and that has the file. */
  existing(object: RegExp, file: string): Made;
  /** A program of another distribution: no run path. Returns its path in the root. */
  program(name: string, source: string, libraries: readonly Made[], flags?: readonly string[]): string;
  /** Takes an object out of the store, as the collector does. */
  forget(library: Made): Promise<void>;
  /** Copies a library beside a program of `program`. */
  bundle(program: string, library: Made, name: string): void;
}

/** A 64-bit object; the rig has glibc 2.36 for both classes (e_ident[EI_CLASS], elf(5)). */
function isOurs(file: string): boolean {
  return existsSync(file) && readFileSync(file).at(4) === 2;
}

export function openShop(root: ToolRoot): Shop {
  const workshop = path.join(root.homeDir, '..', 'workshop');
  const store = path.join(root.nixDir, 'store');
  const add = async (directory: string): Promise<string> => {
    const outcome = await root.runOnHost({ argv: ['nix-store', '--add', directory] });
    if (outcome.status !== 0) throw new Error(outcome.stderr);
    return outcome.stdout.trim();
  };
  return {
    library: async (object, { soname, source, needs = [], versions, flags = [], file = soname }) => {
      const directory = path.join(workshop, object);
      rmSync(directory, { recursive: true, force: true });
      mkdirSync(path.join(directory, 'lib'), { recursive: true });
      const script = path.join(workshop, 'versions.map');
      if (versions !== undefined) writeFileSync(script, versions);
      compile(path.join(directory, 'lib', file), source, [
        ...['-shared', '-fPIC', '-nostdlib', '-Wl,--no-as-needed,--allow-shlib-undefined,--enable-new-dtags'],
        `-Wl,-soname,${soname}`,
        ...needs.flatMap(({ host, directory: of }) => [host, `-Wl,-rpath,${of}`]),
        ...(versions === undefined ? [] : [`-Wl,--version-script=${script}`]),
        ...flags,
      ]);
      const storePath = await add(directory);
      return { directory: `${storePath}/lib`, host: storeFileOnHost(root, `${storePath}/lib/${file}`) };
    },
    existing: (object, file) => {
      const found = readdirSync(store).find(
        (name) => object.test(name.slice(33)) && isOurs(path.join(store, name, 'lib', file)),
      );
      if (found === undefined) throw new Error(`no ${file} in ${object}`);
      return { directory: `/nix/store/${found}/lib`, host: path.join(store, found, 'lib', file) };
    },
    program: (name, source, libraries, flags = []) => {
      const program = path.join(homeInRoot, name, 'program');
      const links = libraries.map(({ host }) => host);
      compile(onHost(root, program), source, [
        '-Wl,--no-as-needed,--allow-shlib-undefined',
        ...links,
        ...flags,
      ]);
      return program;
    },
    forget: async ({ directory }) => {
      const outcome = await root.runOnHost({ argv: ['nix-store', '--delete', path.dirname(directory)] });
      if (outcome.status !== 0) throw new Error(outcome.stderr);
    },
    bundle: (program, library, name) => {
      const target = onHost(root, path.join(path.dirname(program), name));
      mkdirSync(path.dirname(target), { recursive: true });
      copyFileSync(library.host, target);
      execFileSync('chmod', ['u+w', target]);
    },
  };
}
