// Patched files → what each names, whether that is there and held, and for `--repair` the libraries again.
import { existsSync, readdirSync, readlinkSync } from 'node:fs';
import path from 'node:path';
import { ForeignError } from '../errors.ts';
import { patchedRoot, readPatchedRecord, writePatchedRecord } from '../patch/patched-state.ts';
import { farmsNamedBy, readPatched, undoThatFits } from '../patch/read-patched.ts';
import { undoText } from '../patch/undo-record.ts';
import type { Context } from '../pipeline/context.ts';
import { findTarget } from '../pipeline/patch-target.ts';
import { places } from '../pipeline/usable-place.ts';
import { openFileSource } from '../platform/file-source.ts';
import type { Place } from '../platform/places.ts';
import { printJson, printLine } from '../platform/print.ts';
import { pin } from '../roots/pin.ts';

interface Checked {
  readonly file: string;
  readonly farm: string | undefined;
  /** A file that it names and that is not there. */
  readonly lacks: string | undefined;
  readonly root: string | undefined;
  readonly isUndoable: boolean;
}

function lackOf(farm: string): string | undefined {
  if (!existsSync(farm)) return farm;
  return readdirSync(farm, { recursive: true, encoding: 'utf8' })
    .map((name) => path.join(farm, name))
    .find((file) => !existsSync(file));
}

function isLinkTo(root: string, farm: string): boolean {
  try {
    return readlinkSync(root) === farm || !farm.startsWith('/nix/');
  } catch {
    return false;
  }
}

function check(file: string, context: Context, known: readonly Place[]): Checked {
  const target = findTarget(file, context.location.storeDir);
  const source = openFileSource(target.path);
  try {
    const patched = readPatched(source, known);
    const isFarm = (each: string) => /\/[0-9a-z]{32}-f$/.test(each) || each.endsWith('/farm');
    const farm = patched?.farm ?? farmsNamedBy(source).find(isFarm);
    if (farm === undefined) return { file, farm, lacks: undefined, root: undefined, isUndoable: false };
    const root = known.map((place) => patchedRoot(place, farm)).find((each) => isLinkTo(each, farm));
    const undo = patched && undoThatFits(source, patched);
    if (undo !== undefined && patched !== undefined) remember(known, farm, target.path, patched.undo);
    return { file, farm, lacks: lackOf(farm), root, isUndoable: undo !== undefined };
  } finally {
    source.close();
  }
}

/** The file was moved or copied: its record says so from now on. */
function remember(
  known: readonly Place[],
  farm: string,
  file: string,
  undo: Parameters<typeof undoText>[0],
): void {
  const place = known.find((each) => readPatchedRecord(each, farm) !== undefined);
  const record = place && readPatchedRecord(place, farm);
  if (place === undefined || record === undefined || record.files.includes(file)) return;
  writePatchedRecord(place, { farm, files: [...record.files, file], undo: undoText(undo) });
}

function text({ file, farm, lacks, root, isUndoable }: Checked): string {
  if (farm === undefined) return `${file}: it is not patched`;
  const held =
    root === undefined ? `no GC root holds it: nix-foreign patch --repair ${file}` : `held by ${root}`;
  const state = lacks === undefined ? held : `${lacks} is gone: nix-foreign patch --repair ${file}`;
  const undo = isUndoable
    ? 'can be undone'
    : 'was changed after it was patched, or nothing is known of what it was';
  return `${file}: patched, names ${farm}; ${state}; ${undo}`;
}

/** What is there gets a root; what is gone is fetched by its name, which a substituter may have. */
async function repair(
  { file, farm, lacks, root }: Checked,
  context: Context,
  known: readonly Place[],
): Promise<string> {
  const [place] = known;
  if (farm === undefined) return `${file}: it is not patched`;
  if (lacks === undefined && root !== undefined) return `${file}: nothing is to be done`;
  const { storeDir } = context.location;
  const why =
    context.nix === undefined || place === undefined || !farm.startsWith(`${storeDir}/`)
      ? 'Nix does not hold it'
      : await pin(context.nix, patchedRoot(place, farm), farm).then((done) =>
          done.kind === 'rooted' ? undefined : done.why,
        );
  if (why === undefined) return `${file}: ${farm} is there and held`;
  throw new ForeignError(`${file}: ${lacks ?? farm} cannot be had again: ${why}`, {
    code: 'gone',
    hint: `make it what it was and patch it anew: nix-foreign unpatch ${file} && nix-foreign patch ${file}`,
    exitCode: 126,
  });
}

/** The exit status: 0 where every file is patched and has what it names, else 1. */
export async function checkPatched(
  files: readonly string[],
  how: 'check' | 'repair',
  format: 'text' | 'json',
  context: Context,
): Promise<number> {
  const known = await places(context.surroundings.uid);
  let status = 0;
  for (const file of files) {
    const checked = check(file, context, known);
    if (how === 'repair') printLine(await repair(checked, context, known));
    else if (format === 'json') printJson(checked);
    else printLine(text(checked));
    if (how === 'check' && (checked.farm === undefined || checked.lacks !== undefined)) status = 1;
  }
  return status;
}
