// What somebody else may swap: which directories, what was forged in them, and what their victim does meanwhile.
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { pathInSource } from '../../src/fingerprint/remote-source.ts';
import { treeText } from '../../src/fingerprint/tree-file.ts';
import { namesIn } from '../../src/host/files.ts';
import { makeKeyPair } from '../rig/binary-cache.ts';
import { homeInRoot, type Outcome } from '../rig/root.ts';
import { copyHome, foreign, onHost } from '../scenarios/foreign-files.ts';
import { cacheOf, stateOf } from '../scenarios/saved-state.ts';
import type { ToolRoot } from '../scenarios/tool.ts';
import {
  type Forging,
  forgeOurs,
  isMadeByOthers,
  isSaidByOthers,
  type Layout,
  OF_HOME,
  OF_ONE_PLACE,
  OF_XDG,
  otherLibraryFile,
  PROGRAM,
} from './forged-places.ts';
import { INDEX } from './works.ts';

export const SUM = ['-n', '6*7'];
/** In a directory that is swapped. */
const TYPED = '/tmp/of-others/x/jq';
const PATCH = ['patch', '-y', '--no-lift'];

export interface Swapping extends Forging {
  readonly place: Place;
  readonly form: FormName;
  /** The directory around the swapped ones, on the host. */
  readonly around: string;
}

/** What the victim does meanwhile. */
export interface Form {
  /** Options of the launcher, or words of nix-foreign. */
  readonly start?: readonly string[];
  readonly manage?: (typed: string) => readonly string[];
  /** The status of a refusal besides 125. */
  readonly refusal?: number;
  readonly env?: Readonly<Record<string, string>>;
  /** Of what is forged in our places nothing shows in what it says and makes: what it changes there tells. */
  readonly shows?: 'nothing';
  /** Brings about a state in which it has something to do. */
  prepare?(root: ToolRoot): Promise<void>;
}

export const FORMS = {
  hit: { start: [] },
  miss: { start: ['--refresh'] },
  'first start': { start: [], prepare: async (root) => forgetPlans(root) },
  view: { start: ['--refresh', '--strategy', 'view'] },
  prune: { manage: () => ['prune'], prepare: leavePlanOfGone },
  forget: { manage: () => ['forget', PROGRAM], prepare: startOnce, shows: 'nothing' },
  shim: { manage: () => ['shim', 'add', PROGRAM] },
  'for everybody': { manage: () => ['resolve', '--system', PROGRAM], shows: 'nothing' },
  index: {
    manage: () => ['index', 'build'],
    env: { NIX_RUN_FOREIGN_INDEX: INDEX },
    prepare: forgetIndex,
    shows: 'nothing',
  },
  choose: { manage: () => ['choose', PROGRAM, '--exclude', 'libnobody-*'] },
  patch: { manage: (typed) => [...PATCH, typed], refusal: 126, prepare: putOriginal },
  'patch tree': { manage: (typed) => [...PATCH, '--tree', typed], refusal: 126, prepare: putOriginal },
  unpatch: { manage: (typed) => ['unpatch', typed], refusal: 126, prepare: putPatched },
} satisfies Readonly<Record<string, Form>>;
export type FormName = keyof typeof FORMS;

function forgetPlans(root: ToolRoot): void {
  for (const each of [path.join(cacheOf(root), 'plans'), path.join(stateOf(root), 'roots')])
    rmSync(each, { recursive: true, force: true });
}

async function startOnce(root: ToolRoot): Promise<void> {
  await root.start([PROGRAM, ...SUM]);
}

/** The file of root's that a link in the hands of others leads to, itself or with its directory; below the home. */
function nameOfOwn(root: ToolRoot): string {
  return existsSync(path.join(root.homeDir, 'mine/jq')) ? 'mine/jq' : 'mine';
}

function isOriginal(root: ToolRoot): boolean {
  const original = foreign(root.rig, 'bookworm', 'jq').path;
  return readFileSync(path.join(root.homeDir, nameOfOwn(root))).equals(readFileSync(original));
}

async function putOriginal(root: ToolRoot): Promise<void> {
  if (!isOriginal(root)) copyHome(root, foreign(root.rig, 'bookworm', 'jq'), nameOfOwn(root));
}

async function putPatched(root: ToolRoot): Promise<void> {
  if (isOriginal(root)) await managed(root, ...PATCH, path.join(homeInRoot, nameOfOwn(root)));
}

async function forgetIndex(root: ToolRoot): Promise<void> {
  const catalogues = path.join(cacheOf(root), 'catalogues');
  for (const name of namesIn(catalogues).filter((each) => each.includes('.file-index.')))
    rmSync(path.join(catalogues, name));
}

/** What `prune` takes away. */
async function leavePlanOfGone(root: ToolRoot): Promise<void> {
  const gone = copyHome(root, foreign(root.rig, 'bookworm', 'jq'), 'gone');
  await root.start([gone, ...SUM]);
  rmSync(onHost(root, gone));
}

export interface Place {
  /** Is swapped with `${swapped}.other`. */
  readonly swapped: string;
  /** Of the directory around them: others may rename in it what is theirs, or everything. */
  readonly around: 'sticky' | 'of others';
  /** What stands there besides what was forged: somebody else's link to what is root's, or root's own itself. */
  readonly besides: 'link' | 'own';
  readonly env?: Readonly<Record<string, string>>;
  readonly readOnly?: readonly 'home'[];
  /** As it is named; PROGRAM by default. */
  readonly program?: string;
  /** In both, a further name of PROGRAM, which is root's. */
  readonly linked?: string;
  readonly forms: readonly FormName[];
  /** Of them, those that do not even look there: all that can be told is that they write nothing. */
  readonly untouchedBy?: readonly FormName[];
  /** Whose starts and commands; root's by default. A user has a daemon. */
  readonly victim?: number;
  /** Nothing may be there first, where others' directory gets the name then. */
  readonly appears?: true;
  /** Fills the directories `forged` and `own`. */
  forge(on: Swapping): void | Promise<void>;
  isFollowed(on: Swapping, outcome: Outcome): boolean;
  /** Before it is followed, and then again. */
  trust?(root: ToolRoot, what: 'forged too' | 'own'): void;
}

function isDone(_: Swapping, { status }: Outcome): boolean {
  return status === 0;
}

/** The fingerprint that the victim has now names the library that only others' does. */
function isMadeAtHome({ root }: Swapping): boolean {
  return isMadeByOthers(root, root.homeDir, OF_HOME);
}

/** Of places of ours: what was said, and what was made, in the home or there. */
function isFollowedInOurs(layout: Layout): Place['isFollowed'] {
  return (on, outcome) =>
    isSaidByOthers(outcome) ||
    isMadeAtHome(on) ||
    ['', '.other'].some((ending) => isMadeByOthers(on.root, onHostOf(on, ending), layout));
}

async function managed(root: ToolRoot, ...words: string[]): Promise<string> {
  const { status, stdout, stderr } = await root.manage(words);
  if (status !== 0) throw new Error(stderr);
  return stdout;
}

/** Of root's the fingerprint that the program has, of others' one with another library. */
async function forgeFingerprint(
  { root, forged, own }: Swapping,
  put: (directory: string, document: string) => void | Promise<void>,
): Promise<void> {
  const exported = async (directory: string): Promise<void> => {
    mkdirSync(directory);
    await put(directory, await managed(root, 'fingerprint', 'export', '-o', '-', PROGRAM));
  };
  await exported(own);
  await managed(root, 'choose', PROGRAM, '--pin', `libonig.so.5=${otherLibraryFile(root)}`);
  await exported(forged);
  await managed(root, 'choose', PROGRAM, '--reset');
}

function putBesideLink(directory: string, document: string): void {
  symlinkSync(PROGRAM, path.join(directory, 'jq'));
  writeFileSync(path.join(directory, 'jq.nix-fingerprint.json'), document);
}

function putTree(directory: string, document: string): void {
  const { sha256 } = JSON.parse(document).program;
  writeFileSync(path.join(directory, '.nix-fingerprints.json'), treeText([{ sha256, text: document }]));
}

const KEYS = path.join(homeInRoot, 'keys');

/** Signed: root's by the key that root trusts. */
async function forgeSource(on: Swapping): Promise<void> {
  const { root } = on;
  const keys = onHost(root, KEYS);
  mkdirSync(keys);
  await forgeFingerprint(on, async (directory, document) => {
    const name = path.basename(directory);
    const { secretFile, publicKey } = await makeKeyPair(root, { inRoot: KEYS }, name);
    writeFileSync(path.join(keys, `${name}.text`), publicKey);
    writeFileSync(path.join(keys, 'document'), document);
    await managed(root, 'fingerprint', 'sign', '--key', secretFile, `${KEYS}/document`);
    const file = path.join(directory, pathInSource(JSON.parse(document).program.sha256));
    mkdirSync(path.dirname(file), { recursive: true });
    copyFileSync(path.join(keys, 'document'), file);
  });
}

function trustKeys(root: ToolRoot, what: 'forged too' | 'own'): void {
  const names = what === 'own' ? ['mine'] : ['mine', 'forged'];
  const keys = names.map((name) => readFileSync(path.join(onHost(root, KEYS), `${name}.text`), 'utf8'));
  const directory = path.join(root.homeDir, '.config/nix-run-foreign');
  mkdirSync(directory, { recursive: true });
  const lines = [['sources', ['/tmp/of-others/x']] as const, ['trusted-fingerprint-keys', keys] as const];
  const text = lines.map(([name, values]) => `${name} = ${JSON.stringify(values)}\n`).join('');
  writeFileSync(path.join(directory, 'config.toml'), text);
}

async function forgePlaceForEverybody(on: Swapping): Promise<void> {
  const { status, stderr } = await on.root.manage(['resolve', '--system', PROGRAM]);
  if (status !== 0) throw new Error(stderr);
  await forgeOnePlace(on);
}

async function forgeOnePlace(on: Swapping): Promise<void> {
  await forgeOurs(on, { top: onHostOf(on), layout: OF_ONE_PLACE }, OF_ONE_PLACE);
}

const OURS_BY_XDG = {
  swapped: '/tmp/x',
  around: 'sticky',
  besides: 'link',
  env: {
    XDG_CACHE_HOME: '/tmp/x/cache',
    XDG_STATE_HOME: '/tmp/x/state',
    XDG_CONFIG_HOME: '/tmp/x/config',
    XDG_DATA_HOME: '/tmp/x/data',
  },
  appears: true,
  forge: (on) => forgeOurs(on, { top: on.root.homeDir, layout: OF_HOME }, OF_XDG),
  isFollowed: isFollowedInOurs(OF_XDG),
} as const satisfies Omit<Place, 'forms'>;

export const PLACES: Readonly<Record<string, Place>> = {
  'directories of XDG': {
    ...OURS_BY_XDG,
    forms: ['hit', 'miss', 'view', 'prune', 'forget', 'shim', 'choose', 'index'],
  },
  "a user's directories of XDG": { ...OURS_BY_XDG, victim: 1000, forms: ['hit', 'miss'] },
  'the place below /tmp': {
    swapped: '/tmp/nix-run-foreign-0',
    around: 'sticky',
    besides: 'link',
    readOnly: ['home'],
    forms: ['hit', 'miss', 'view', 'prune', 'forget'],
    appears: true,
    forge: forgeOnePlace,
    isFollowed: isFollowedInOurs(OF_ONE_PLACE),
  },
  'the place for everybody': {
    swapped: '/var/lib/nix-run-foreign',
    around: 'sticky',
    besides: 'link',
    forms: ['first start', 'prune', 'forget', 'for everybody'],
    untouchedBy: ['forget'],
    appears: true,
    forge: forgePlaceForEverybody,
    isFollowed: isFollowedInOurs(OF_ONE_PLACE),
  },
  'a fingerprint beside a link to the program': {
    swapped: '/tmp/of-others/x',
    around: 'of others',
    besides: 'own',
    program: TYPED,
    forms: ['first start'],
    forge: (on) => forgeFingerprint(on, putBesideLink),
    isFollowed: isMadeAtHome,
  },
  'a tree file beside the program': {
    swapped: '/tmp/of-others/x',
    around: 'of others',
    besides: 'own',
    program: TYPED,
    linked: 'jq',
    forms: ['first start'],
    forge: (on) => forgeFingerprint(on, putTree),
    isFollowed: isMadeAtHome,
  },
  'a source of fingerprints': {
    swapped: '/tmp/of-others/x',
    around: 'of others',
    besides: 'own',
    forms: ['first start'],
    forge: forgeSource,
    isFollowed: isMadeAtHome,
    trust: trustKeys,
  },
  'the directory of a program that is patched': {
    swapped: '/tmp/of-others/x',
    around: 'of others',
    besides: 'own',
    program: TYPED,
    forms: ['patch'],
    forge: ({ forged, own, root }) => {
      for (const each of [forged, own]) mkdirSync(each);
      symlinkSync(path.join(homeInRoot, 'mine/jq'), path.join(forged, 'jq'));
      copyHome(root, foreign(root.rig, 'bookworm', 'jq'), 'mine/jq');
    },
    isFollowed: isDone,
  },
  'a link in /tmp that a program is named by': {
    swapped: '/tmp/tool',
    around: 'sticky',
    besides: 'link',
    program: '/tmp/tool',
    forms: ['patch', 'unpatch'],
    forge: async ({ forged, own, root, form }) => {
      copyHome(root, foreign(root.rig, 'bookworm', 'jq'), path.basename(own));
      if (form === 'unpatch') await putPatched(root);
      copyFileSync(own, forged);
    },
    isFollowed: isDone,
  },
  'a link in /tmp that a tree is named by': {
    swapped: '/tmp/tree',
    around: 'sticky',
    besides: 'link',
    program: '/tmp/tree',
    forms: ['patch tree'],
    forge: ({ forged, own, root }) => {
      for (const each of [forged, own]) {
        mkdirSync(each);
        copyFileSync(foreign(root.rig, 'bookworm', 'jq').path, path.join(each, 'jq'));
      }
    },
    isFollowed: isDone,
  },
};

/** One of the two swapped, on the host. */
export function onHostOf({ place, around }: Pick<Swapping, 'place' | 'around'>, ending = ''): string {
  return path.join(around, `${path.basename(place.swapped)}${ending}`);
}
