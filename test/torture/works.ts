// What the torture interrupts: commands of ours and starts, each with the state in which it begins.
import path from 'node:path';
import { homeInRoot } from '../rig/root.ts';

/** What is in the store: the whole rig, or little more than one set. */
export type Store = 'whole' | 'small';

/** A program that prints 42. */
export interface Started {
  /** As a path of the root. */
  readonly program: string;
  readonly args: readonly string[];
}

export interface Work {
  /** Words of nix-foreign; undefined: the program is started. */
  readonly words?: readonly string[];
  /** Options of the launcher, of the start that is interrupted. */
  readonly options?: readonly string[];
  /** What is started, also after it. Default: JQ. */
  readonly starts?: Started;
  /** What is said when the work is to be done again, and was done to its end. */
  readonly doneBefore?: RegExp;
  /**
   * The state in which it begins; `changed`: the program is another one since its plan was made; `nothing opened`:
   * there is a plan of OPENER, which has opened nothing yet.
   */
  readonly from: 'nothing' | 'catalogue' | 'plan' | 'changed' | 'patched' | 'nothing opened';
  readonly env?: Readonly<Record<string, string>>;
  /** Default: the whole. */
  readonly store?: Store;
}

/** Where a root has what works read. */
const TOOLS = '/opt/torture';
export const JQ: Started = { program: path.join(homeInRoot, 'jq'), args: ['-n', '6*7'] };
const PROGRAM = JQ.program;
/** programs/opens-late.c: opens the library that it is told, which only the audit module can find. */
export const OPENER: Started = { program: path.join(homeInRoot, 'opens-late'), args: ['libz.so.1'] };
export const INDEX = `${TOOLS}/index`;
/** In the index, with a library and a tool each: as large as makes several pages of the database that is written from it. */
export const PACKAGES = 2_000;

/** The fingerprint that an undisturbed start leaves. */
export function documentOf({ program }: Started): string {
  return `${TOOLS}/${path.basename(program)}.nix-fingerprint.json`;
}

/** That of OPENER before it opens anything. */
export const NOTHING_OPENED = `${TOOLS}/nothing-opened.json`;

export const WORKS: Readonly<Record<string, Work>> = {
  hit: { from: 'plan' },
  miss: { from: 'catalogue' },
  'miss without a catalogue': { from: 'nothing', store: 'small' },
  view: { from: 'catalogue', options: ['--strategy', 'view'] },
  'opens late': { from: 'nothing opened', starts: OPENER },
  prune: { from: 'changed', words: ['prune'] },
  forget: { from: 'plan', words: ['forget', PROGRAM], doneBefore: /no plan is kept for it/ },
  patch: { from: 'catalogue', words: ['patch', '-y', '--no-lift', PROGRAM] },
  'patch lifted': { from: 'catalogue', words: ['patch', '-y', PROGRAM] },
  unpatch: { from: 'patched', words: ['unpatch', PROGRAM], doneBefore: /it is not patched/ },
  export: { from: 'plan', words: ['fingerprint', 'export', PROGRAM] },
  import: { from: 'catalogue', words: ['fingerprint', 'import', documentOf(JQ), PROGRAM] },
  index: { from: 'catalogue', words: ['index', 'build'], env: { NIX_RUN_FOREIGN_INDEX: INDEX } },
  publish: {
    from: 'plan',
    words: ['publish', PROGRAM, '--to', `file://${homeInRoot}/cache?compression=none`],
  },
};

/** Of the state `patched` the last one is. */
export const PATCHES = ['patch lifted', 'patch'] as const;

export const WORK_NAMES = Object.keys(WORKS);

/** Whether the work is a start, and no command. */
export function isStart(name: string): boolean {
  return WORKS[name] !== undefined && WORKS[name].words === undefined;
}

export function startedBy(name: string): Started {
  return WORKS[name]?.starts ?? JQ;
}

/** What is in the store that a work needs. */
export function storeOf(name: string): Store {
  return WORKS[name]?.store ?? 'whole';
}
