// `nix-foreign unpatch PROGRAM...`: patched programs as they were, byte for byte.
import { statSync } from 'node:fs';
import type { Directories } from '../../host/directories.ts';
import { ForeignError } from '../../host/errors.ts';
import { printJson, printLine, reportFailure } from '../../host/output.ts';
import { patchedRecords } from '../../integrations/patch/patched-state.ts';
import type { Context } from '../../resolve/context.ts';
import { cleanPatched } from '../../resolve/housekeeping.ts';
import { type HardLinks, refuseOthersLink } from '../../resolve/patch-target.ts';
import { unpatchFile } from '../../resolve/unpatch-file.ts';
import { allDirectories, patchPlaces } from '../../resolve/writable-directories.ts';
import { jsonFailure } from '../command.ts';
import { programOutput } from '../output-file.ts';
import { namedProgram, programToChange } from '../program-argument.ts';
import { refuseBesideAll, usageError } from '../usage-error.ts';
import { documentOf } from './patch-text.ts';
import { filesInTree, type TreeFile } from './tree-programs.ts';

interface UnpatchOptions {
  readonly output: string | undefined;
  readonly hardLinks: string | undefined;
  readonly isTree: boolean;
  readonly isAll: boolean;
  readonly isDry: boolean;
  readonly isJson: boolean;
}

/** Of all that are known, each may be a hard link to another. Sorted. */
function knownFiles(places: readonly Directories[]): TreeFile[] {
  const files = places.flatMap((dirs) => patchedRecords(dirs).flatMap((record) => record.files));
  const there = [...new Set(files)].filter((file) => statSync(file, { throwIfNoEntry: false }) !== undefined);
  return there.sort().map((file) => ({ file, others: there }));
}

async function filesOf(
  programs: readonly string[],
  { isTree, isAll, isDry, output }: UnpatchOptions,
  context: Context,
): Promise<TreeFile[]> {
  const { uid } = context.host;
  // What root patched for everybody only root takes back.
  if (isAll) return knownFiles(uid === 0 ? await patchPlaces(uid) : await allDirectories(uid));
  if (isTree) {
    const judge = (typedName: string, real: string) =>
      isDry ? undefined : refuseOthersLink(typedName, real, uid, 'unpatch');
    const trees = programs.map((each) => filesInTree(each, judge));
    return trees.flatMap((tree) => [...tree.programs, ...tree.libraries]);
  }
  const named = (each: string) =>
    isDry || output !== undefined ? namedProgram(each, context) : programToChange(each, context, 'unpatch');
  return programs.map((each) => ({ file: named(each), others: [] }));
}

function hardLinksOf(value: string | undefined, several: boolean): HardLinks {
  const fallback = several ? 'all' : 'refuse';
  if (value === undefined) return fallback;
  if (value === 'refuse' || value === 'all' || value === 'one') return value;
  throw usageError(`--hard-links: there is no ${value}`, 'name one of: refuse, all, one');
}

/** The exit status. @throws ForeignError where one program was named. */
export async function unpatchCommand(
  programs: readonly string[],
  options: UnpatchOptions,
  context: Context,
): Promise<number> {
  const { output, isTree, isAll, isDry, isJson } = options;
  if (programs.length === 0 && !isAll) throw usageError('unpatch needs a program', 'name one, or say --all');
  if (isAll) refuseBesideAll('unpatch', programs, isTree);
  if (output !== undefined && (programs.length !== 1 || isTree))
    throw usageError('-o takes one program', 'unpatch them one by one');
  const several = isAll || isTree || programs.length > 1;
  if (!isDry) for (const dirs of await patchPlaces(context.host.uid)) cleanPatched(dirs);
  let worst = 0;
  const rows: unknown[] = [];
  const hardLinks = hardLinksOf(options.hardLinks, isTree || isAll);
  for (const { file, others } of await filesOf(programs, options, context)) {
    const target = output === undefined ? undefined : programOutput(file, output, context.host.uid);
    const request = { output: target, hardLinks, known: others, isDry };
    try {
      const done = await unpatchFile(file, request, context);
      rows.push({ program: file, ...done });
      if (!isJson)
        printLine(
          `${done.file}: ${isDry ? 'would be' : 'is'} again what it was, ${done.size} bytes, sha256 ${done.sha256}`,
        );
    } catch (error) {
      // The other name of one that was taken back just now.
      if ((isTree || isAll) && error instanceof ForeignError && error.code === 'not-patched') continue;
      if (!several) throw error;
      rows.push({ program: file, ...jsonFailure(error) });
      worst = Math.max(worst, reportFailure(error));
    }
  }
  if (isJson) printJson(documentOf(rows, several ? 'several' : 'one'));
  else if (rows.length === 0) printLine('nothing to unpatch');
  return worst;
}
