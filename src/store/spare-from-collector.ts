// Store paths that roots hold as of now → a collector that looked for roots before keeps them too.
import { existsSync } from 'node:fs';
import path from 'node:path';
import { debug } from '../host/output.ts';
import type { Nix } from './nix.ts';
import { storeLocation } from './store-location.ts';

/** Nix: src/libstore/gc.cc, `gcSocketPath`. */
const SOCKET = 'gc-socket/socket';

/** Milliseconds. A collector answers at once, or as soon as it has deleted that very path. */
const PATIENCE = 60_000;

/**
 * Called after Nix has ended that made the roots, and before the paths are looked at. Nix names a path to the collector
 * that is running, makes the root, and ends; a collector that began after the first and read the roots before the
 * second finds neither the root nor the process (NOTES.md, "Pinning beside a collector"). One that begins now finds the
 * root, and one that is running is told, as Nix tells it: a line for each path, a byte `1` in answer
 * (`LocalStore::addTempRoot`). Nix 2.3 has no such socket, and lets who adds a root wait for the collector.
 */
export async function spareFromCollector({ env }: Nix, storePaths: readonly string[]): Promise<void> {
  const socket = path.join(storeLocation(env).stateDir, SOCKET);
  if (!existsSync(socket)) return;
  const { connect } = process.getBuiltinModule('node:net');
  await new Promise<void>((resolve) => {
    const connection = connect(socket);
    let answers = 0;
    const end = (what: string) => {
      debug(`collector: ${what}`);
      connection.destroy();
      resolve();
    };
    connection.setTimeout(PATIENCE, () => end('it does not answer'));
    connection.on('error', ({ message }) => end(message)); // mostly refused: none is running
    connection.on('close', () => end('it has ended'));
    connection.on('data', ({ length }) => {
      answers += length;
      if (answers >= storePaths.length) end(`it keeps ${storePaths.join(' ')}`);
    });
    connection.write(storePaths.map((each) => `${each}\n`).join(''));
  });
}
