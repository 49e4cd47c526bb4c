// A directory → a real Nix store of its own: store, database, configuration, and the Nix commands told about it.
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { findNix, type Nix } from '../../src/store/nix.ts';
import type { StoreLocation } from '../../src/store/store-location.ts';

export interface PrivateStore {
  readonly location: StoreLocation;
  readonly nix: Nix;
  /** Adds a file or directory with no references; returns the store path. */
  add(source: string): string;
  /** Runs a Nix command; returns its stdout without the last line end. */
  run(command: string, ...args: string[]): string;
}

/** Makes the store below `directory`, initialised (a daemon would be asked for one that is not). */
export function openPrivateStore(directory: string): PrivateStore {
  const at = (name: string): string => path.join(directory, name);
  for (const name of ['etc', 'home', 'store', 'var/log']) mkdirSync(at(name), { recursive: true });
  chmodSync(directory, 0o755);
  const configuration = [
    'build-users-group =',
    'sandbox = false',
    'substitute = false',
    'substituters =',
    'build-hook =',
  ];
  writeFileSync(at('etc/nix.conf'), `${configuration.join('\n')}\n`);
  const env = {
    PATH: process.env['PATH'] ?? '/usr/bin:/bin',
    HOME: at('home'),
    NIX_STORE_DIR: at('store'),
    NIX_STATE_DIR: at('var'),
    NIX_LOG_DIR: at('var/log'),
    NIX_CONF_DIR: at('etc'),
    NIX_REMOTE: 'local',
  };
  const nix = findNix(env);
  if (nix === undefined) throw new Error('these tests need Nix: apt-get install nix-bin');
  const run = (command: string, ...args: string[]): string =>
    execFileSync(path.join(nix.bin, command), args, {
      env,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 60_000,
    }).trim();
  run('nix-store', '--init');
  return {
    location: { storeDir: at('store'), stateDir: at('var') },
    nix,
    add: (source) => run('nix-store', '--add', source),
    run,
  };
}
