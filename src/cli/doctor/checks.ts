// Nix, the user's directories and the catalogue → whether each can do its part, and what mends it.
import { readFileSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { configurationFiles, readConfiguration } from '../../config/load-config.ts';
import { KEYS } from '../../config/settings.ts';
import { temporaryName, writeFileDurably } from '../../host/atomic-file.ts';
import { createDirectories, type Directories } from '../../host/directories.ts';
import { errnoOf, ForeignError, reasonOf, remedyOf } from '../../host/errors.ts';
import { fileWord } from '../../host/shell-words.ts';
import { farmRemedy, patchedRows } from '../../integrations/patch/patched-rows.ts';
import type { Context } from '../../resolve/context.ts';
import { isDamaged } from '../../store/catalogue.ts';
import { catalogueFile, newestFile } from '../../store/catalogue-file.ts';
import { invalidPaths, missingForNix, type Nix, nixVersion } from '../../store/nix.ts';
import { errnoBehind, isBusy, resultCode } from '../../store/sqlite-error.ts';
import { type StoreLocation, storeLocation } from '../../store/store-location.ts';

/** One finding. */
export interface Check {
  readonly subject: string;
  readonly state: 'ok' | 'note' | 'lack';
  readonly detail: string;
  /** What to do; absent when all is well. */
  readonly remedy?: string;
}

const CONSEQUENCE = 'without it programs start, but nothing protects their libraries from collection';

/** Why Nix cannot be asked. Started without a store or a database it would make them, so then it is not started. */
async function whyNotAnswering(nix: Nix): Promise<string | undefined> {
  const { storeDir, stateDir } = storeLocation(nix.env);
  const missing = missingForNix(nix);
  if (missing === 'store') return `${storeDir} is not there`;
  if (missing === 'database') return `${stateDir} holds no database of Nix`;
  try {
    // A path that no store holds: the answer needs the database or the daemon, and changes neither.
    await invalidPaths(nix, [path.join(storeDir, `${'0'.repeat(32)}-nix-foreign-doctor`)]);
    return undefined;
  } catch (error) {
    return reasonOf(error);
  }
}

/** Runs Nix, and asks its store something harmless. */
export async function checkNix({ nix }: Pick<Context, 'nix'>): Promise<Check> {
  const lack = (detail: string, remedy: string): Check => ({ subject: 'nix', state: 'lack', detail, remedy });
  if (nix === undefined)
    return lack('no nix-store on PATH or where it usually is', `put Nix on PATH; ${CONSEQUENCE}`);
  const version = await nixVersion(nix);
  if (version === undefined) return lack(`${nix.bin}/nix-store cannot be run`, `repair it; ${CONSEQUENCE}`);
  const detail = `${version} in ${nix.bin}`;
  const why = await whyNotAnswering(nix);
  if (why === undefined) return { subject: 'nix', state: 'ok', detail };
  return lack(
    `${detail}, but ${why}`,
    `start the Nix daemon (systemctl start nix-daemon), or repair the store; ${CONSEQUENCE}`,
  );
}

/** One note for each variable that was to name directories of the user's and is as if it was not set. */
export function checkVariables({ passedOver = {} }: Context['host']): Check[] {
  return Object.entries(passedOver).map(([name, value = '']): Check => {
    const check = { subject: 'environment', state: 'note' } as const;
    if (!value.startsWith('/') || value.includes('\ufffd'))
      return { ...check, detail: `${name} does not count: it is no absolute path in UTF-8` };
    return {
      ...check,
      detail: `${name} does not count: others can change where ${value} leads`,
      remedy: `see whose the directories on the way are: namei -l ${fileWord(value)}`,
    };
  });
}

/** A start that resolves reads it, and ends where it is broken. */
export async function checkConfiguration({ host, env }: Pick<Context, 'host' | 'env'>): Promise<Check[]> {
  const check = { subject: 'configuration' } as const;
  try {
    const { origins, warnings } = await readConfiguration(await configurationFiles(host), env);
    const set = KEYS.filter((key) => origins[key].kind !== 'default');
    const detail = set.length === 0 ? 'every setting is as it comes' : `${set.join(', ')}: set`;
    return [
      { ...check, state: 'ok', detail: `${detail}; see nix-foreign config` },
      ...warnings.map((warning): Check => ({ ...check, state: 'note', detail: warning })),
    ];
  } catch (error) {
    if (!(error instanceof ForeignError)) throw error;
    return [{ ...check, state: 'lack', detail: error.message, remedy: error.hint }];
  }
}

/** Modes say little of a read-only or full disk. */
function tryToWrite(directory: string): void {
  const file = temporaryName(path.join(directory, 'doctor'));
  try {
    writeFileDurably(file, 'written by nix-foreign doctor\n');
  } finally {
    rmSync(file, { force: true });
  }
}

const YOURS = 'make them yours and writable, or name others with XDG_CACHE_HOME and XDG_STATE_HOME';

/** Writes and removes a small file wherever a first start writes. */
export function checkDirectories(dirs: Directories, uid: number): Check {
  const lack = (directory: string, error: unknown): Check => ({
    subject: 'directories',
    state: 'lack',
    detail: `${directory}: ${reasonOf(error)}`,
    remedy: remedyOf(errnoOf(error), YOURS),
  });
  try {
    createDirectories(dirs, uid);
  } catch (error) {
    return lack(dirs.cache, error);
  }
  for (const directory of [dirs.plans, dirs.farms, dirs.locks, dirs.catalogues, dirs.roots]) {
    try {
      tryToWrite(directory);
    } catch (error) {
      return lack(directory, error);
    }
  }
  return { subject: 'directories', state: 'ok', detail: `${dirs.cache} and ${dirs.state}` };
}

/**
 * Where a start writes, in the first of the places that can be written; and what keeps it from the user's own, which is
 * the first.
 */
export function checkPlaces(
  all: readonly Directories[],
  uid: number,
): { readonly dirs: Directories | undefined; readonly checks: readonly Check[] } {
  const [own, ...others] = all;
  if (own === undefined) return { dirs: undefined, checks: [] };
  const check = checkDirectories(own, uid);
  const standIn =
    check.state === 'ok' ? own : others.find((each) => checkDirectories(each, uid).state === 'ok');
  if (standIn === undefined || standIn === own) return { dirs: own, checks: [check] };
  const detail = `${check.detail}; what is found is kept in ${path.dirname(standIn.cache)} only`;
  return {
    dirs: standIn,
    checks: [checkDirectories(standIn, uid), { ...check, subject: 'own directories', detail }],
  };
}

function countsIn(file: string): { objects: number; libraries: number } {
  const database = new DatabaseSync(file, { readOnly: true, timeout: 5000 });
  try {
    const count = (table: string) =>
      Number(database.prepare(`select count(*) as n from ${table}`).get()?.['n']);
    return { objects: count('object'), libraries: count('library') };
  } finally {
    database.close();
  }
}

/** SQLITE_ERROR: tables are not there, or not as ours. */
function isFilledAnew(error: unknown): boolean {
  return isDamaged(error) || resultCode(error) === 1;
}

/** SQLite keeps the errno to itself: the system is asked for what it needs, a file beside the catalogue (-shm) too. */
function systemErrorBehind(error: unknown, file: string): unknown {
  if (resultCode(error) === undefined) return error;
  try {
    readFileSync(file);
    tryToWrite(path.dirname(file));
    return error;
  } catch (cause) {
    return cause;
  }
}

const NO_LOCK =
  'no lock is to be had, so it was not counted: another process holds it, or, where that stays so, its file system has no locks; XDG_CACHE_HOME names another';

/** Why a catalogue was not counted. It is never to be removed by hand: what is wrong with a file mends itself. */
function uncounted(error: unknown, file: string): Omit<Check, 'subject'> {
  if (['ENOENT', 'ENOTDIR'].includes(errnoOf(error) ?? ''))
    return { state: 'note', detail: 'it is filled at the first start' };
  if (isBusy(error)) return { state: 'note', detail: `${file}: ${NO_LOCK}` };
  const cause = isFilledAnew(error) ? error : systemErrorBehind(error, file);
  const errno = errnoBehind(cause);
  // A directory in its place gives way too (openStore).
  if (isFilledAnew(error) || errno === 'EISDIR')
    return { state: 'note', detail: `${file} is damaged; it is filled anew at the next start` };
  return { state: 'lack', detail: `${file}: ${reasonOf(cause)}`, remedy: remedyOf(errno) };
}

/** Looks, and changes nothing: a first start fills a catalogue that is missing or damaged. */
export function checkCatalogue(dirs: Directories, { storeDir }: StoreLocation): Check {
  const check = { subject: 'catalogue' } as const;
  let file = catalogueFile(dirs.catalogues, storeDir);
  try {
    file = newestFile(file).file;
    statSync(file);
    const { objects, libraries } = countsIn(file);
    return { ...check, state: 'ok', detail: `${libraries} libraries in ${objects} store objects: ${file}` };
  } catch (error) {
    return { ...check, ...uncounted(error, file) };
  }
}

/** Nothing where no file is patched. One lack for each whose libraries are gone, a note for each that nothing holds. */
export function checkPatchedFiles(all: readonly Directories[], context: Context): Check[] {
  const check = { subject: 'patched files' } as const;
  const found = all.flatMap((dirs) => patchedRows(dirs, context));
  const rows = found.filter(({ state }) => state !== 'not patched any more');
  const wrong = rows.flatMap(({ file, farm, state, lacks, root }): Check[] => {
    const remedy = farmRemedy({ file, farm, lacks }, context);
    if (state === 'its libraries are gone')
      return [{ ...check, state: 'lack', detail: `${file} cannot start: ${lacks} is gone`, remedy }];
    if (state === 'not there') {
      const detail = `${file} is not where it was; its root is kept`;
      return [
        { ...check, state: 'note', detail, remedy: 'look for it, or let its root go: nix-foreign prune' },
      ];
    }
    if (root !== undefined) return [];
    return [
      { ...check, state: 'note', detail: `${file}: nothing keeps its libraries from collection`, remedy },
    ];
  });
  if (rows.length === 0) return [];
  const detail = `${rows.length}, each with what it names`;
  return wrong.length > 0 ? wrong : [{ ...check, state: 'ok', detail }];
}
