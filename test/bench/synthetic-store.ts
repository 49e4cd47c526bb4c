// A number → a store directory with that many objects, half of them with a library, registered with a real Nix.
import { execFileSync } from 'node:child_process';
import {
  linkSync,
  lutimesSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { StoreLocation } from '../../src/store/store-location.ts';

export interface SyntheticStore {
  readonly location: StoreLocation;
  remove(): void;
}

/** Any 32 digits of Nix's base 32 do. */
function digestFor(i: number): string {
  return i.toString().padStart(32, '0');
}

/** Makes objects in a store directory. Returns their paths. */
export function fillStore(storeDir: string, count: number, library: string): string[] {
  const paths: string[] = [];
  for (let i = 0; i < count; i += 1) {
    const object = path.join(storeDir, `${digestFor(i)}-synthetic-${i}`);
    if (i % 2 === 0) {
      mkdirSync(path.join(object, 'lib'), { recursive: true });
      linkSync(library, path.join(object, 'lib', `libsynthetic${i}.so.1.0`));
      symlinkSync(`libsynthetic${i}.so.1.0`, path.join(object, 'lib', `libsynthetic${i}.so.1`));
    } else {
      mkdirSync(path.join(object, 'share/doc'), { recursive: true });
    }
    lutimesSync(object, 1, 1);
    paths.push(object);
  }
  return paths;
}

/** What `nix-store --load-db` reads. */
export function storeRows(paths: readonly string[]): string {
  const hash = '0'.repeat(64);
  return paths.map((each) => `${each}\n${hash}\n1000\n\n0\n`).join('');
}

function register(paths: readonly string[], environment: NodeJS.ProcessEnv): void {
  execFileSync('nix-store', ['--init'], { env: environment });
  execFileSync('nix-store', ['--load-db'], { env: environment, input: storeRows(paths) });
}

/** Makes the store. Needs cc and Debian's nix-bin. */
export function makeSyntheticStore(count: number): SyntheticStore {
  const directory = mkdtempSync(path.join(tmpdir(), 'nix-run-foreign-store-'));
  const location = { storeDir: path.join(directory, 'store'), stateDir: path.join(directory, 'var') };
  mkdirSync(location.storeDir);
  const [source, library] = [path.join(directory, 'l.c'), path.join(directory, 'libsynthetic.so')];
  writeFileSync(source, '#include <stdio.h>\nvoid synthetic(void) { puts("synthetic"); }\n');
  execFileSync('cc', ['-shared', '-fPIC', '-Wl,-soname,libsynthetic.so.1', '-o', library, source]);
  const paths = fillStore(location.storeDir, count, library);
  register(paths, {
    ...process.env,
    NIX_STORE_DIR: location.storeDir,
    NIX_STATE_DIR: location.stateDir,
    NIX_LOG_DIR: path.join(location.stateDir, 'log'),
    NIX_REMOTE: 'local',
  });
  // A directory that changed just now may change again under the same time stamp, and is never taken as unchanged.
  utimesSync(location.storeDir, 1, 1);
  return { location, remove: () => rmSync(directory, { recursive: true, force: true }) };
}
