// What a work left → whether all that comes after was right each time, so that it need not be gone through again.
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { homeInRoot } from '../rig/root.ts';
import { DIGEST } from './injector.ts';

/** Below `/opt/torture`: a file for each known state. */
const KNOWN = 'known';

/** What comes after may go wrong now and then only, so once is not enough. */
const TIMES = 2;

/** What these change is times and permissions, and times decide without being in a digest (locks, last use). */
const UNSEEN = /@(?:utimensat|f?chmod(?:at)?)\b/;

export interface KnownStates {
  /** Words of the command that tells one state from another. */
  readonly digest: readonly string[];
  /** Ends a shell script after a state that is known; `~/digest.stdout` is what `digest` said. */
  endIfKnown(work: string, how: string): string;
  /** Undefined for what is not known; else what a command has not done that left it. */
  recall(work: string, digest: string): { readonly undone: string | undefined } | undefined;
  /** All was right after it. */
  learn(work: string, digest: string, undone: string | undefined): void;
}

/**
 * @param tools is `/opt/torture` in the root
 * @param place ours below /tmp; with the home, and the names of store objects and roots, it decides what comes after
 */
export function openKnownStates(tools: string, place: string): KnownStates {
  mkdirSync(path.join(tools, KNOWN), { recursive: true });
  const states = new Map<string, { times: number; readonly undone: string | undefined }>();
  const nameOf = (work: string, digest: string) => `${work.replaceAll(' ', '-')}-${digest}`;
  return {
    digest: [DIGEST, homeInRoot, place, 'NAMES=/nix/store', 'NAMES=/nix/var/nix/gcroots/auto'],
    endIfKnown: (work, how) => {
      const file = `/opt/torture/${KNOWN}/${nameOf(work, '$(<~/digest.stdout)')}`;
      return UNSEEN.test(how) ? '' : `[[ -e "${file}" ]] && exit\n`;
    },
    recall: (work, digest) => {
      const state = states.get(nameOf(work, digest));
      return state !== undefined && state.times >= TIMES ? state : undefined;
    },
    learn: (work, digest, undone) => {
      if (!/^[0-9a-f]{16}$/.test(digest)) return; // it could not be told
      const name = nameOf(work, digest);
      const state = states.get(name) ?? { times: 0, undone };
      state.times += 1;
      states.set(name, state);
      if (state.times === TIMES) writeFileSync(path.join(tools, KNOWN, name), '');
    },
  };
}
