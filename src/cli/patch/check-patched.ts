// Patched files → what each names, whether that is there and held, and for `--repair` the libraries again.
import { openFileSource } from '../../elf/open-elf.ts';
import { pin } from '../../fingerprint/saved-fingerprints.ts';
import type { Directories } from '../../host/directories.ts';
import { ForeignError } from '../../host/errors.ts';
import { printLine, reportFailure } from '../../host/output.ts';
import { fileWord } from '../../host/shell-words.ts';
import { farmRemedy, farmRoot, lackOf } from '../../integrations/patch/patched-rows.ts';
import {
  keepPatched,
  patchedRoot,
  readPatchedRecord,
  rememberPatched,
  settlePatched,
} from '../../integrations/patch/patched-state.ts';
import { farmsNamedBy, readPatched, undoThatFits } from '../../integrations/patch/read-patched.ts';
import { undoText } from '../../integrations/patch/undo-record.ts';
import { isPatchedFarm } from '../../program/run-directories.ts';
import type { Context } from '../../resolve/context.ts';
import { findTarget } from '../../resolve/patch-target.ts';
import { patchPlaces } from '../../resolve/writable-directories.ts';
import { jsonFailure } from '../command.ts';
import { shownText, showPatched } from './show-patched.ts';

interface PatchedState {
  readonly file: string;
  readonly farm: string | undefined;
  /** A file that it names and that is not there. */
  readonly lacks: string | undefined;
  readonly root: string | undefined;
  readonly isUndoable: boolean;
}

async function check(
  file: string,
  how: 'check' | 'repair',
  context: Context,
  known: readonly Directories[],
): Promise<PatchedState> {
  const target = findTarget(file, context.location.storeDir, `patch --${how}`);
  const source = openFileSource(target.path);
  try {
    const patched = readPatched(source, known);
    const farm = patched?.farm ?? farmsNamedBy(source).find(isPatchedFarm);
    if (farm === undefined) return { file, farm, lacks: undefined, root: undefined, isUndoable: false };
    const root = known.map((dirs) => farmRoot(dirs, farm, context)).find((each) => each !== undefined);
    const undo = patched && undoThatFits(source, patched);
    if (patched !== undefined) await remember(placesOfOwn(known, context), farm, target.path);
    return { file, farm, lacks: lackOf(farm), root, isUndoable: undo !== undefined };
  } finally {
    source.close();
  }
}

/** Only root writes in the system's. */
function placesOfOwn(known: readonly Directories[], { host }: Context): readonly Directories[] {
  return known.filter(({ shared }) => shared !== true || host.uid === 0);
}

/** The file was moved or copied, and stripped perhaps: its record says so from now on. */
async function remember(known: readonly Directories[], farm: string, file: string): Promise<void> {
  const dirs = known.find((each) => readPatchedRecord(each, farm) !== undefined);
  const record = dirs && readPatchedRecord(dirs, farm);
  if (dirs === undefined || record === undefined || record.files.includes(file)) return;
  await rememberPatched(dirs, farm, file);
}

function text({ file, farm, lacks, root, isUndoable }: PatchedState, context: Context): string {
  if (farm === undefined) return `${file}: it is not patched`;
  const remedy = farmRemedy({ file, farm, lacks }, context);
  const held = root === undefined ? `no GC root holds it; ${remedy}` : `held by ${root}`;
  const state = lacks === undefined ? held : `${lacks} is gone; ${remedy}`;
  const undo = isUndoable
    ? 'can be undone'
    : 'was changed after it was patched, or nothing is known of what it was';
  return `${file}: patched, names ${farm}; ${state}; ${undo}`;
}

/** A root without a record would be taken for what a killed patch left. */
async function recordRepaired(
  file: string,
  farm: string,
  context: Context,
  known: readonly Directories[],
): Promise<void> {
  const [dirs] = known;
  const isKnown = known.some((each) => readPatchedRecord(each, farm) !== undefined);
  if (dirs === undefined || isKnown) return;
  const target = findTarget(file, context.location.storeDir);
  const source = openFileSource(target.path);
  try {
    const undo = undoText(readPatched(source, known)?.undo ?? []);
    await keepPatched(dirs, { farm, undo }, [target.path]);
    await settlePatched(dirs, farm);
  } finally {
    source.close();
  }
}

interface Repaired {
  readonly file: string;
  readonly farm: string | undefined;
  readonly state: 'not patched' | 'unchanged' | 'held';
}

/** What is there gets a root; what is gone is fetched by its name, which a substituter may have. */
async function repair(
  { file, farm, lacks, root }: PatchedState,
  context: Context,
  known: readonly Directories[],
): Promise<Repaired> {
  const [dirs] = known;
  if (farm === undefined) return { file, farm, state: 'not patched' };
  if (lacks === undefined && root !== undefined) {
    await recordRepaired(file, farm, context, known);
    return { file, farm, state: 'unchanged' };
  }
  const isOfStore = farm.startsWith(`${context.location.storeDir}/`);
  if (lacks === undefined && (!isOfStore || context.nix === undefined))
    throw new ForeignError(`${file}: its libraries are there, and Nix does not hold them`, {
      code: 'unpinned',
      hint: farmRemedy({ file, farm, lacks }, context),
      exitCode: 126,
    });
  const why =
    context.nix === undefined || dirs === undefined || !isOfStore
      ? 'Nix does not hold it'
      : await pin(context.nix, patchedRoot(dirs, farm), farm).then((done) =>
          done.kind === 'rooted' ? undefined : done.why,
        );
  if (why === undefined) {
    await recordRepaired(file, farm, context, known);
    return { file, farm, state: 'held' };
  }
  throw new ForeignError(`${file}: ${lacks ?? farm} cannot be had again: ${why}`, {
    code: 'gone',
    hint: `make it what it was and patch it anew: nix-foreign unpatch ${fileWord(file)} && nix-foreign patch ${fileWord(file)}`,
    exitCode: 126,
  });
}

function repairedText({ file, farm, state }: Repaired): string {
  switch (state) {
    case 'not patched':
      return `${file}: it is not patched`;
    case 'unchanged':
      return `${file}: nothing is to be done`;
    case 'held':
      return `${file}: ${farm} is there and held`;
  }
}

/**
 * `tell` gets what `--json` says of each file; without it lines are printed. The exit status: 0 where every file is
 * patched and has what it names, else 1.
 */
export async function checkPatched(
  files: readonly string[],
  how: 'check' | 'repair' | 'show',
  tell: ((row: unknown) => void) | undefined,
  context: Context,
): Promise<number> {
  const known = await patchPlaces(context.host.uid);
  const say = <T>(value: T, text: (value: T) => string): void =>
    tell === undefined ? printLine(text(value)) : tell(value);
  const look = async (file: string): Promise<0 | 1> => {
    if (how === 'show') {
      const shown = showPatched(file, context, known);
      say(shown, shownText);
      return shown.farm === null ? 1 : 0;
    }
    const checked = await check(file, how, context, known);
    if (how === 'repair') say(await repair(checked, context, known), repairedText);
    else say(checked, (state) => text(state, context));
    return how === 'check' && (checked.farm === undefined || checked.lacks !== undefined) ? 1 : 0;
  };
  if (files.length === 0 && tell === undefined) printLine('there is no program to look at');
  let worst = 0;
  for (const file of files) {
    try {
      worst = Math.max(worst, await look(file));
    } catch (error) {
      if (files.length === 1) throw error;
      tell?.({ file, ...jsonFailure(error) });
      worst = Math.max(worst, reportFailure(error));
    }
  }
  return worst;
}
