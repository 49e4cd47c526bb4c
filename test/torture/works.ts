// What the torture interrupts: commands of ours and starts, each with the state in which it begins.
import path from 'node:path';
import { homeInRoot } from '../rig/root.ts';

/** What is in the store: the whole rig, or little more than one set. */
export type Store = 'whole' | 'small';

export interface Work {
  /** Words of nix-foreign; undefined: the program is started. */
  readonly words?: readonly string[];
  /** What is said when the work is to be done again, and was done to its end. */
  readonly doneBefore?: RegExp;
  /** The state in which it begins; `changed`: the program is another one since its plan was made. */
  readonly from: 'nothing' | 'catalogue' | 'plan' | 'changed' | 'patched';
  readonly env?: Readonly<Record<string, string>>;
  /** Default: the whole. */
  readonly store?: Store;
}

export const PROGRAM = path.join(homeInRoot, 'jq');
export const SUM = ['-n', '6*7'];
export const FINGERPRINT = '/opt/torture/jq.nix-fingerprint.json';
export const INDEX = '/opt/torture/index';
/** In the index, with a library and a tool each: as large as makes several pages of the database that is written from it. */
export const PACKAGES = 2_000;

export const WORKS: Readonly<Record<string, Work>> = {
  hit: { from: 'plan' },
  miss: { from: 'catalogue' },
  'miss without a catalogue': { from: 'nothing', store: 'small' },
  prune: { from: 'changed', words: ['prune'] },
  forget: { from: 'plan', words: ['forget', PROGRAM], doneBefore: /no plan is kept for it/ },
  patch: { from: 'catalogue', words: ['patch', '-y', '--no-lift', PROGRAM] },
  'patch lifted': { from: 'catalogue', words: ['patch', '-y', PROGRAM] },
  unpatch: { from: 'patched', words: ['unpatch', PROGRAM], doneBefore: /it is not patched/ },
  export: { from: 'plan', words: ['fingerprint', 'export', PROGRAM] },
  import: { from: 'catalogue', words: ['fingerprint', 'import', FINGERPRINT, PROGRAM] },
  index: { from: 'catalogue', words: ['index', 'build'], env: { NIX_RUN_FOREIGN_INDEX: INDEX } },
  publish: {
    from: 'plan',
    words: ['publish', PROGRAM, '--to', `file://${homeInRoot}/cache?compression=none`],
  },
};

/** Of the state `patched` the last one is. */
export const PATCHES = ['patch lifted', 'patch'] as const;

export const WORK_NAMES = Object.keys(WORKS);

/** What is in the store that a work needs. */
export function storeOf(name: string): Store {
  return WORKS[name]?.store ?? 'whole';
}
