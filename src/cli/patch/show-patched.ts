// A patched file → what it names now and named before, and the file behind each name.
import { realpathSync } from 'node:fs';
import path from 'node:path';
import type { ElfFile } from '../../elf/elf-file.ts';
import { openFileSource } from '../../elf/open-elf.ts';
import { readElf } from '../../elf/read-elf.ts';
import type { ByteSource } from '../../elf/reader.ts';
import type { Directories } from '../../host/directories.ts';
import { printableLine } from '../../host/output.ts';
import { undoneSource } from '../../integrations/patch/file-changes.ts';
import { readPatched, undoThatFits } from '../../integrations/patch/read-patched.ts';
import type { Context } from '../../resolve/context.ts';
import { findTarget } from '../../resolve/patch-target.ts';

interface Change {
  readonly from: string | null;
  readonly to: string | null;
}

interface ShownPatch {
  readonly file: string;
  /** Null for a file that is not patched; the rest is empty then. */
  readonly farm: string | null;
  readonly interpreter: Change;
  readonly runPath: Change;
  /** In the order of the file. `from`: null for a name that was not needed before. */
  readonly needed: readonly (Change & { readonly file: string | null })[];
}

function elfIn(source: ByteSource | undefined): ElfFile | undefined {
  const reading = source && readElf(source);
  return reading?.kind === 'elf' ? reading.file : undefined;
}

const runPathOf = (elf: ElfFile | undefined): string | null => elf?.rpath ?? elf?.runpath ?? null;

/** The file that the farm has for a name; what the program's own directories have is not looked for. */
function behind(farm: string, name: string): string | null {
  try {
    return realpathSync(path.join(farm, name));
  } catch {
    return null;
  }
}

/** @throws ForeignError for what is no file. */
export function showPatched(file: string, context: Context, known: readonly Directories[]): ShownPatch {
  const source = openFileSource(findTarget(file, context.location.storeDir, 'patch --show').path);
  try {
    const patched = readPatched(source, known);
    const undo = patched && undoThatFits(source, patched);
    const now = elfIn(source);
    const before = undo && elfIn(undoneSource(source, undo));
    const farm = patched?.farm ?? null;
    const needed = farm === null ? [] : (now?.needed ?? []);
    return {
      file,
      farm,
      interpreter: { from: before?.interpreter ?? null, to: now?.interpreter ?? null },
      runPath: { from: runPathOf(before), to: runPathOf(now) },
      needed: needed.map((to, index) => ({
        from: before?.needed[index] ?? null,
        to,
        file: behind(farm ?? '', to),
      })),
    };
  } finally {
    source.close();
  }
}

function changeText({ from, to }: Change): string {
  return from === to ? `${to ?? '(none)'}` : `${from ?? '(none)'}  →  ${to ?? '(none)'}`;
}

/** For people. */
export function shownText({ file, farm, interpreter, runPath, needed }: ShownPatch): string {
  if (farm === null) return `${file}: it is not patched`;
  const rows = needed.map((each): [string, string] => [
    each.from === each.to || each.from !== null ? 'needed' : 'added',
    `${changeText(each)}   ${each.file ?? 'not in the farm'}`,
  ]);
  const all = [
    ['interpreter', changeText(interpreter)],
    ['run path', changeText(runPath)],
    ...rows,
    ['farm', farm],
  ];
  const lines = all.map(([label = '', text = '']) => printableLine(`  ${label.padEnd(13)}${text}`));
  return [file, ...lines].join('\n');
}
