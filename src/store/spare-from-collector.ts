// Store paths that roots hold as of now → a collector that looked for roots before keeps them too.
// A root link → whether Nix has it among its roots.
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { errnoOf } from '../host/errors.ts';
import { isGone } from '../host/files.ts';
import { debug } from '../host/output.ts';
import type { Environment } from '../host/tool-environment.ts';
import { base32 } from './fixed-path.ts';
import type { Nix } from './nix.ts';
import { storeLocation } from './store-location.ts';

/** Nix: src/libstore/gc.cc, `gcSocketPath`. */
const SOCKET = 'gc-socket/socket';

/** Milliseconds. A collector answers at once, or as soon as it has deleted what it has begun to delete. */
const PATIENCE = 60_000;

/** Milliseconds between two tries where others are before us. */
const AGAIN = 50;

/** Why a path counts as not pinned then, in one clause. */
export const SILENT = 'the garbage collector that is running does not answer';

/** `none`: no collector is running; `unanswered`: whether it keeps them is not known. */
type Told = 'told' | 'none' | 'unanswered';

/** @returns an errno where the collector cannot be reached. */
function tellOnce(socket: string, storePaths: readonly string[]): Promise<Told | string> {
  return new Promise((resolve) => {
    const connection = connect(socket);
    let answers = 0;
    const end = (told: Told | string) => {
      connection.removeAllListeners('close').destroy();
      resolve(told);
    };
    connection.setTimeout(PATIENCE, () => end('unanswered'));
    connection.on('error', (error) => end(errnoOf(error) ?? 'unanswered'));
    connection.on('close', () => end('none')); // it has ended
    connection.on('data', ({ length }) => {
      answers += length;
      if (answers >= storePaths.length) end('told');
    });
    connection.write(storePaths.map((each) => `${each}\n`).join(''));
  });
}

/** What connect(2) says where others are before us (unix(7)), or a signal came. */
const PASSING = ['EAGAIN', 'EINTR'];

/**
 * Called after Nix has ended that made the roots, and before the paths are looked at. Nix names a path to the collector
 * that is running, makes the root, and ends; a collector that began after the first and read the roots before the
 * second finds neither the root nor the process (NOTES.md, "Pinning beside a collector"). One that begins now finds the
 * root, and one that is running is told, as Nix tells it: a line for each path, a byte `1` in answer
 * (`LocalStore::addTempRoot`). Nix 2.3 has no such socket, and lets who adds a root wait for the collector.
 *
 * @param storePaths what refers to others first: the answer waits for the deletion of the last that the collector came
 * to, and it comes to a path before those that refer to it
 */
export async function spareFromCollector({ env }: Nix, storePaths: readonly string[]): Promise<Told> {
  const socket = path.join(storeLocation(env).stateDir, SOCKET);
  const until = performance.now() + PATIENCE;
  for (;;) {
    const told = await tellOnce(socket, storePaths);
    const isPassing = PASSING.includes(told);
    if (isPassing && performance.now() < until) {
      await pause(AGAIN);
      continue;
    }
    debug(`collector: ${told}`);
    if (told === 'told') return told;
    // Mostly nobody listens there. Who cannot connect at all is no worse off than without the question.
    return told === 'unanswered' || isPassing ? 'unanswered' : 'none';
  }
}

/**
 * Nix knows an indirect root by an entry named by the SHA-1 of its path (`LocalStore::addIndirectRoot`). A collector
 * that found an earlier root of this name gone may remove the entry after it was made anew, and one that runs while the
 * link cannot be seen (a home that is not mounted) removes it, too (`findRoots`). True where that cannot be looked at.
 */
export function isRegistered({ env }: { readonly env: Environment }, link: string): boolean {
  const directory = path.join(storeLocation(env).stateDir, 'gcroots/auto');
  const name = base32(createHash('sha1').update(link).digest());
  return !existsSync(directory) || !isGone(path.join(directory, name));
}
