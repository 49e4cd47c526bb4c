// Our directories as a start left them → the same with what leads others astray, and whether that shows afterwards.
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { saveChoices } from '../../src/choices/choices-file.ts';
import { type Directories, temporaryDirectories } from '../../src/host/directories.ts';
import { namesIn } from '../../src/host/files.ts';
import { shimText } from '../../src/integrations/shims/shim-file.ts';
import { markDecided } from '../../src/plan/own-decisions.ts';
import { listPlans, writePlan } from '../../src/plan/plan-files.ts';
import { type LaunchPlan, parsePlan, planKey } from '../../src/plan/plan-format.ts';
import { saveStrategy } from '../../src/plan/strategy.ts';
import { providerOf } from '../rig/binary-cache.ts';
import { homeInRoot, type Outcome } from '../rig/root.ts';
import { fingerprintBehind, storeFileOnHost } from '../scenarios/saved-state.ts';
import type { ToolRoot } from '../scenarios/tool.ts';

export const OTHERS_LIBRARY = '/opt/torture/libothers.so';
export const PROGRAM = path.join(homeInRoot, 'jq');
export const copying = { recursive: true, verbatimSymlinks: true } as const;

const LIBRARY = 'libonig.so.5';
/** In what is printed or planned it shows that something forged was read. */
const MARK = 'of-somebody-else';
/** Of the others' config.toml: a plan names it. */
export const OTHERS_DRIVERS = path.join(path.dirname(OTHERS_LIBRARY), MARK);
/** Has a plan and a root among what is forged, and is no file. */
const GONE = path.join(homeInRoot, MARK);
/** What is forged is told by it, and the start of one by root is not. */
const STRATEGY = 'patched';

/** What is forged, and what the victim would have there: directories of the host. */
export interface Forging {
  readonly root: ToolRoot;
  readonly forged: string;
  readonly own: string;
  /** As the victim names it. */
  readonly ownInRoot: string;
}

/** Where ours are below a directory: those of XDG, or one place for cache and state. */
export interface Layout {
  readonly cache: string;
  readonly state: string;
  readonly config?: string;
  readonly data?: string;
}

export const OF_HOME: Layout = { cache: '.cache/nix-run-foreign', state: '.local/state/nix-run-foreign' };
export const OF_XDG: Layout = {
  cache: 'cache/nix-run-foreign',
  state: 'state/nix-run-foreign',
  config: 'config/nix-run-foreign',
  data: 'data/nix-run-foreign',
};
export const OF_ONE_PLACE: Layout = { cache: '', state: 'state' };

function directoriesIn(top: string, layout: Layout): Directories {
  const [cache, state] = [layout.cache, layout.state].map((name) => path.join(top, name, 'v1')) as [
    string,
    string,
  ];
  const inCache = ['plans', 'farms', 'locks', 'catalogues'].map((name) => [name, path.join(cache, name)]);
  const inState = ['roots', 'fingerprints'].map((name) => [name, path.join(state, name)]);
  return { ...temporaryDirectories(0), cache, state, ...Object.fromEntries([...inCache, ...inState]) };
}

/** Of a library that is not the best for the program. */
export function otherStorePath({ rig }: ToolRoot): string {
  return providerOf(rig, 'bullseye', LIBRARY).path;
}

export function otherLibraryFile(root: ToolRoot): string {
  return `${otherStorePath(root)}/lib/${LIBRARY}`;
}

/** It holds wherever it lies, and whatever was copied. */
function withoutConditions(plan: LaunchPlan): LaunchPlan {
  const { interpreterPath: _, ...rest } = plan;
  return { ...rest, files: [], watched: [], absent: [], directories: [] };
}

/** Each starts with somebody else's library. */
function forgePlans(dirs: Directories): void {
  for (const plan of listPlans(dirs)) {
    const environment = [['LD_PRELOAD', OTHERS_LIBRARY]] as const;
    const forged = { ...withoutConditions(plan), environment };
    writePlan(dirs, forged);
    writePlan(dirs, { ...forged, program: GONE });
  }
}

/** A root of what is gone, for `prune`; and by a link the same of the victim's, which others cannot remove. */
function forgeRoots({ roots }: Directories, ownRoots: string): void {
  const [sha256 = ''] = namesIn(roots);
  const [first = ''] = namesIn(path.join(roots, sha256));
  symlinkSync(readlinkSync(path.join(roots, sha256, first)), path.join(roots, sha256, planKey(GONE)));
  symlinkSync(path.join(ownRoots, sha256), path.join(roots, 'f'.repeat(64)));
}

/** What a person decided: another library, and another way to start. */
async function forgeDecisions(dirs: Directories, root: ToolRoot): Promise<void> {
  // As `choose` keeps it: the file behind the link.
  const target = readlinkSync(storeFileOnHost(root, otherLibraryFile(root)));
  const pins = { [LIBRARY]: path.resolve(path.dirname(otherLibraryFile(root)), target) };
  markDecided(dirs, PROGRAM);
  await saveChoices(dirs, PROGRAM, planKey(PROGRAM), { pins, exclude: [`${MARK}-*`], prefer: [] });
  saveStrategy(dirs, PROGRAM, STRATEGY);
}

/**
 * Each knows no library of the name but the other one. Tables of names are as they were: the program opens none while
 * it runs, so nothing would show.
 */
function forgeCatalogues({ catalogues }: Directories, root: ToolRoot): void {
  for (const name of namesIn(catalogues).filter((each) => /^[0-9a-f]+\.sqlite$/.test(each))) {
    const database = new DatabaseSync(path.join(catalogues, name));
    database
      .prepare(
        `delete from offer where name = ? and library not in
         (select library.id from library join object on object.id = library.object where object.name = ?)`,
      )
      .run(LIBRARY, path.basename(otherStorePath(root)));
    database.close();
  }
}

/** Another directory of drivers, and a shim that has the program's name already. */
function forgeSettings(forged: string, { config, data }: Layout): void {
  if (config === undefined || data === undefined) return;
  const shims = path.join(forged, data, 'shims');
  for (const each of [path.join(forged, config), shims]) mkdirSync(each, { recursive: true });
  const text = `driver-directories = ["${OTHERS_DRIVERS}"]\n`;
  writeFileSync(path.join(forged, config, 'config.toml'), text);
  const shim = path.join(shims, path.basename(PROGRAM));
  writeFileSync(shim, shimText('/nowhere/nix-run-foreign', GONE));
  chmodSync(shim, 0o700);
}

/** From directories of the host as a start of the victim's leaves them. `own` gets the same, with links to itself. */
export async function forgeOurs(
  { root, forged, own, ownInRoot }: Forging,
  from: { readonly top: string; readonly layout: Layout },
  layout: Layout,
): Promise<void> {
  for (const part of from.layout.cache === '' ? (['cache'] as const) : (['cache', 'state'] as const))
    cpSync(path.join(from.top, from.layout[part]), path.join(forged, layout[part]), copying);
  const dirs = directoriesIn(forged, layout);
  const { roots } = directoriesIn(ownInRoot, layout);
  forgePlans(dirs);
  forgeRoots(dirs, roots);
  await forgeDecisions(dirs, root);
  forgeCatalogues(dirs, root);
  forgeSettings(forged, layout);
  cpSync(forged, own, copying);
}

function hasOtherLibrary(root: ToolRoot, { roots }: Directories): boolean {
  const links = namesIn(roots).flatMap((sha256) =>
    namesIn(path.join(roots, sha256)).map((key) => path.join(roots, sha256, key)),
  );
  const saved = links.flatMap((link) => fingerprintBehind(root, link).libraries);
  return saved.some(({ storePath }) => storePath === otherStorePath(root));
}

function isPlannedByOthers({ plans }: Directories): boolean {
  const file = path.join(plans, planKey(PROGRAM));
  if (!existsSync(file)) return false;
  const bytes = readFileSync(file);
  return parsePlan(bytes)?.strategy === STRATEGY || bytes.includes(MARK);
}

/** Whether what was made below a directory of the host is what only others' decisions, settings or catalogue lead to. */
export function isMadeByOthers(root: ToolRoot, top: string, layout: Layout): boolean {
  const dirs = directoriesIn(top, layout);
  return hasOtherLibrary(root, dirs) || isPlannedByOthers(dirs);
}

/** Their library, their settings, or what is only among theirs has a say in it. */
export function isSaidByOthers({ stdout, stderr }: Outcome): boolean {
  return stdout.startsWith('somebody else') || `${stdout}${stderr}`.includes(MARK);
}
