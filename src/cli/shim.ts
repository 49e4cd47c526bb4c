// `nix-foreign shim ...`: commands in one directory for PATH, each of which starts a program through the launcher.
import { existsSync } from 'node:fs';
import path from 'node:path';
import { ForeignError } from '../host/errors.ts';
import { listText, notice, printJson, printOneLine } from '../host/output.ts';
import { shellWord } from '../host/shell-words.ts';
import { pathLine } from '../integrations/hooks/hook-text.ts';
import {
  type AddedAll,
  addAllShims,
  addShim,
  hiddenBy,
  type Shimming,
} from '../integrations/shims/add-shim.ts';
import { addDesktopEntries, removeDesktopEntries } from '../integrations/shims/desktop-files.ts';
import {
  listShims,
  removeShim,
  type Shim,
  type ShimDirectories,
  shimDirectories,
  writeShim,
} from '../integrations/shims/shim-file.ts';
import { inspectProgram } from '../program/inspect-program.ts';
import { LAUNCHER_REMEDY } from '../resolve/own-package.ts';
import type { EntryProcess } from './command.ts';
import { launcherPaths, noticeCollection } from './lasting-launcher.ts';
import { namedProgram } from './program-argument.ts';
import { usageError } from './usage-error.ts';

function lastingLauncher(own: string, searchPath: string | undefined): string {
  if (!existsSync(own))
    throw new ForeignError(`there is no launcher at ${own}`, {
      code: 'no-launcher',
      hint: LAUNCHER_REMEDY,
      exitCode: 125,
    });
  return launcherPaths(own, searchPath)[0];
}

async function shimming({ context, launcher }: EntryProcess): Promise<Shimming> {
  return {
    directories: await shimDirectories(),
    host: context.host,
    launcher: lastingLauncher(launcher, context.env['PATH']),
    searchPath: context.env['PATH'],
  };
}

/** After an update that moved the launcher, every shim learns where it is now, whatever is added. */
function mendOthers({ directories, launcher }: Shimming): void {
  for (const shim of listShims(directories)) {
    if (existsSync(shim.launcher)) continue;
    const naming = shim.program === shim.target ? 'by-path' : 'by-link';
    writeShim(directories, shim.name, { launcher, program: shim.target }, naming);
  }
}

function isOnPath({ shims }: ShimDirectories, searchPath: string | undefined): boolean {
  return (searchPath ?? '').split(':').some((each) => each !== '' && path.resolve(each) === shims);
}

interface AddOptions {
  readonly as: string | undefined;
  readonly all: string | undefined;
  readonly desktop: boolean;
  readonly desktopFile: string | undefined;
  readonly json: boolean;
}

function added(program: string, options: AddOptions, settings: Shimming, entry: EntryProcess): AddedAll {
  const { as, all } = options;
  if (all === undefined) {
    if (program === '')
      throw usageError(
        'shim add needs a program',
        'it is: nix-foreign shim add PROGRAM, or nix-foreign shim add --all DIRECTORY',
      );
    return {
      added: [addShim({ typedName: namedProgram(program, entry.context), as }, settings)],
      skipped: [],
    };
  }
  if (program !== '' || as !== undefined)
    throw usageError(
      '--all takes a directory, and neither a program nor --as',
      'nix-foreign shim add --all DIRECTORY',
    );
  if (options.desktopFile !== undefined)
    throw usageError(
      '--desktop-file names the entry of one program, and --all adds several',
      'those that lie near the programs: nix-foreign shim add --all DIRECTORY --desktop',
    );
  return addAllShims(all, settings);
}

/** A shim that has no entry in the menu. */
interface Without {
  readonly name: string;
  readonly why: string;
  readonly remedy: string;
  /** The same for programs of which nothing else is to be told. */
  readonly reason: string;
}

interface MenuEntries {
  /** Paths of the copies in the menu. */
  readonly entries: readonly string[];
  /** Programs of a directory of which there is none. */
  readonly without: readonly Without[];
}

/** Where the files of an AppImage lie, unpacked where they were not; undefined for any other program. */
async function imageOf({ target }: Shim, { context }: EntryProcess): Promise<string | undefined> {
  if (inspectProgram(target, context.host).appImage === undefined) return undefined;
  const { resolve } = await import('./resolve.ts');
  const { environment } = await resolve(target, context, 'as-needed');
  return environment.find(([name]) => name === 'APPDIR')?.[1];
}

/** Of several programs, some are not for the menu: those keep their shims. */
async function entriesOfAll(
  shims: readonly Shim[],
  { directories }: Shimming,
  entry: EntryProcess,
): Promise<MenuEntries> {
  const without: Without[] = [];
  const entries: string[] = [];
  for (const shim of shims) {
    try {
      entries.push(...addDesktopEntries(shim, directories, undefined, await imageOf(shim, entry)));
    } catch (error) {
      if (!(error instanceof ForeignError)) throw error;
      const { message: why, hint: remedy } = error;
      without.push({ name: shim.name, why, remedy, reason: why.replaceAll(shim.target, '') });
    }
  }
  return { entries, without };
}

/** The shims that were added now, and all that were there before. */
interface AddedShims {
  readonly shims: readonly Shim[];
  readonly before: readonly Shim[];
}

/** Where an entry cannot be made, the shims that are new are taken back with theirs. */
async function entriesFor(
  { shims, before }: AddedShims,
  { all, desktop, desktopFile }: AddOptions,
  settings: Shimming,
  entry: EntryProcess,
): Promise<MenuEntries> {
  const { directories } = settings;
  if (!desktop && desktopFile === undefined) return { entries: [], without: [] };
  try {
    if (all !== undefined) return await entriesOfAll(shims, settings, entry);
    const entries: string[] = [];
    for (const shim of shims)
      entries.push(...addDesktopEntries(shim, directories, desktopFile, await imageOf(shim, entry)));
    return { entries, without: [] };
  } catch (error) {
    for (const { name } of shims.filter((shim) => before.every((each) => each.name !== shim.name))) {
      removeDesktopEntries(name, directories);
      removeShim(directories, name);
    }
    throw error;
  }
}

/** One line for each reason. */
function noticeWithout(without: readonly Without[]): void {
  for (const reason of new Set(without.map((each) => each.reason))) {
    const all = without.filter((each) => each.reason === reason);
    const names = all.map(({ name }) => name);
    const [first] = all;
    if (first !== undefined) notice(`not in the menu: ${listText(names, 5)}; ${first.why}; ${first.remedy}`);
  }
}

export async function addCommand(program: string, options: AddOptions, entry: EntryProcess): Promise<void> {
  const settings = await shimming(entry);
  mendOthers(settings);
  const before = listShims(settings.directories);
  const done = added(program, options, settings, entry);
  const { entries, without } = await entriesFor({ shims: done.added, before }, options, settings, entry);
  const skipped = [
    ...done.skipped,
    ...without.map(({ name, why }) => ({ name, why: `not in the menu: ${why}` })),
  ];
  if (options.json) printJson({ added: done.added.map(rowOf), skipped, entries });
  else for (const { file, target } of done.added) printOneLine(`${file} starts ${target}`);
  if (!options.json && done.added.length === 0 && done.skipped.length === 0) printOneLine('nothing to add');
  if (!options.json) for (const entry of entries) printOneLine(`${entry} is in the menu`);
  for (const { name, why } of options.json ? [] : done.skipped) notice(`no shim for ${name}: ${why}`);
  if (!options.json) noticeWithout(without);
  for (const { name, target } of done.added) {
    const hidden = hiddenBy(name, target, settings);
    if (hidden !== undefined)
      notice(`the shim ${name} hides ${hidden}; to take it back: nix-foreign shim remove ${shellWord(name)}`);
  }
  if (done.added.length > 0)
    noticeCollection(settings.launcher, 'the shims', 'install the package in a profile, and make them again');
  const { PATH } = entry.context.env;
  if (done.added.length > 0 && !isOnPath(settings.directories, PATH))
    notice(
      `to start them by name, put their directory on PATH: ${pathLine('bash', settings.directories.shims)}`,
    );
}

interface ShimRow {
  readonly name: string;
  readonly program: string;
  readonly file: string;
  /** `ready`, or what is wrong with it. */
  readonly state: string;
}

function rowOf({ name, target, file, launcher, program }: Shim): ShimRow {
  const state = !existsSync(launcher)
    ? `the launcher is gone; nix-foreign shim add ${shellWord(target)} --as ${shellWord(name)} names the one of now`
    : existsSync(program)
      ? 'ready'
      : 'the program is gone';
  return { name, program: target, file, state };
}

export async function listCommand(options: { json: boolean }): Promise<void> {
  const rows = listShims(await shimDirectories()).map(rowOf);
  if (options.json) return printJson(rows);
  const width = Math.max(0, ...rows.map(({ name }) => name.length));
  for (const { name, program, state } of rows)
    printOneLine(`${name.padEnd(width)}  ${program}${state === 'ready' ? '' : `  (${state})`}`);
  if (rows.length === 0) printOneLine('there are no shims; make one with: nix-foreign shim add PROGRAM');
}

export async function removeCommand(typed: readonly string[], options: { json: boolean }): Promise<void> {
  const names = [...new Set(typed)];
  const directories = await shimDirectories();
  const unknown = names.find((name) => listShims(directories).every((shim) => shim.name !== name));
  if (unknown !== undefined)
    throw new ForeignError(`there is no shim ${unknown}`, {
      code: 'no-shim',
      hint: 'see the names of all with: nix-foreign shim list',
      exitCode: 125,
    });
  const entries = names.flatMap((name) => removeDesktopEntries(name, directories));
  for (const name of names) removeShim(directories, name);
  if (options.json) return printJson({ removed: names, entries });
  for (const name of names) printOneLine(`removed ${path.join(directories.shims, name)}`);
  for (const entry of entries) printOneLine(`removed ${entry}`);
}
