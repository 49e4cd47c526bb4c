// A reckoned or a finished patch → what people read of it, and what `--json` prints.
import path from 'node:path';
import { ET_EXEC } from '../../elf/gabi.ts';
import { pathOfStoreFile } from '../../farm/verify-set.ts';
import { fileWord } from '../../host/shell-words.ts';
import type { FileEdit } from '../../integrations/patch/file-changes.ts';
import type { Applied, Held } from '../../resolve/apply-patch.ts';
import type { EditPlan, PatchPlan } from '../../resolve/plan-patch.ts';
import { nameOfStoreObject } from '../../store/store-location.ts';
import type { PatchedLibrary } from './patch-libraries.ts';

/** Columns in front of what is said. */
const LABEL = 24;

const METHOD_TEXTS = {
  'in-place': 'in place',
  append: 'by a segment at the end',
  insert: 'by a segment before what is appended',
  interpreter: 'in place, the interpreter only',
} as const;

function line(label: string, text: string): string {
  return `${label.padEnd(LABEL)}${text}`;
}

function grownBy({ chosen }: EditPlan): number {
  return chosen.changes.added?.bytes.length ?? 0;
}

function undoBytes({ undo }: EditPlan): number {
  return undo.ranges.reduce((sum, { old }) => sum + old.length, 0);
}

function kindText({ program, chosen, target }: PatchPlan): string {
  const { elf } = program;
  const { payload } = chosen;
  const appended =
    payload === undefined ? 'nothing appended' : `${payload.bytes} bytes appended (${payload.kind})`;
  return line(target.typedName, `${elf.type === ET_EXEC ? 'non-PIE' : 'PIE'}; ${appended}`);
}

function runPaths({ program, wanted }: PatchPlan) {
  const { runpath, rpath } = program.elf;
  const from = runpath ?? rpath;
  return {
    tag: {
      from: runpath !== undefined ? 'RUNPATH' : rpath !== undefined ? 'RPATH' : undefined,
      to: wanted.runPath?.tag.toUpperCase(),
    },
    from,
    to: wanted.runPath?.text,
  };
}

interface NeededRow {
  readonly from: string;
  readonly to: string;
  readonly match: string;
  readonly file: string | undefined;
}

function neededRows({ program, wanted, fingerprint, verified }: PatchPlan): NeededRow[] {
  const libraries = new Map(fingerprint.libraries.map((each) => [each.soname, each]));
  return program.elf.needed.map((from) => {
    const library = libraries.get(from);
    const to = wanted.renamed.get(from) ?? from;
    const loaded = verified.objects.find(({ name }) => name === from)?.path;
    const file = library === undefined ? loaded : pathOfStoreFile(library);
    return { from, to, match: library?.match ?? 'exact', file };
  });
}

function neededLines(plan: PatchPlan): string[] {
  const rows = neededRows(plan);
  const renamed = rows
    .filter(({ from, to }) => from !== to)
    .map(({ from, to }) => `${from}  →  ${to}   closest`);
  const same = rows.filter(({ from, to }) => from === to).map(({ from }) => from);
  const texts = [...renamed, ...(same.length > 0 ? [`${same.join(', ')}   as they are`] : [])];
  const own = texts.map((text, index) => line(index === 0 ? '  needed' : '', text));
  const { lifted } = plan.wanted;
  const { notLifted } = plan.chosen;
  if (notLifted !== undefined) return [...own, line('', `no more: ${notLifted}`)];
  return lifted.length === 0
    ? own
    : [
        ...own,
        line('', `+ ${lifted.length} more, so that they come from the same set: ${lifted.join(', ')}`),
      ];
}

function runPathText(plan: PatchPlan): string {
  const { from = '(none)', to, tag } = runPaths(plan);
  if (to === undefined) return `${from}   as it is: the launcher knows the libraries`;
  return `${from}  →  ${to}  (${tag.from === undefined ? tag.to : `${tag.to}; was ${tag.from}`})`;
}

/** For people, before it is done. */
export function planText(plan: PatchPlan): string {
  const { wanted, program, chosen, undo, farm, set, verified } = plan;
  return [
    kindText(plan),
    line(
      'would be written',
      `${METHOD_TEXTS[chosen.method]}, ${grownBy(plan)} bytes larger, ${undo.ranges.length} ranges, ${undoBytes(plan)} bytes`,
    ),
    line(
      '  interpreter',
      `${program.interpreter}  →  ${wanted.interpreter}  (${nameOfLoader(verified.loader)})`,
    ),
    line('  run path', runPathText(plan)),
    ...neededLines(plan),
    line('farm', `${farm.path}, ${set.references.length} store paths`),
  ].join('\n');
}

function nameOfLoader(loader: string): string {
  const object = path.dirname(path.dirname(loader));
  return /^[0-9a-z]{32}-/.test(path.basename(object)) ? nameOfStoreObject(object) : loader;
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

/** The edits with what was there before: of each the offset, the size and what it is. */
function editRows({ chosen, undo }: EditPlan) {
  const oldOf = (offset: number, length: number): string | undefined => {
    const range = undo.ranges.find(
      (each) => each.offset <= offset && offset + length <= each.offset + each.old.length,
    );
    return range && hex(range.old.subarray(offset - range.offset, offset - range.offset + length));
  };
  const edits = chosen.changes.edits.map(({ offset, bytes, what }: FileEdit) => ({
    offset,
    size: bytes.length,
    what,
    old: oldOf(offset, bytes.length),
    new: hex(bytes),
  }));
  const { added } = chosen.changes;
  if (added === undefined) return edits;
  return [
    ...edits,
    { offset: added.at, size: added.bytes.length, what: 'added', old: undefined, new: hex(added.bytes) },
  ];
}

/** One line for each edit: where, what, before, after. */
export function diffText(plan: EditPlan): string {
  return editRows(plan)
    .map(({ offset, size, what, old, new: now }) => {
      const short = (text: string) => (text.length > 64 ? `${text.slice(0, 64)}...` : text);
      return `${`0x${offset.toString(16)}`.padEnd(12)}${String(size).padStart(8)}  ${what}\n    - ${short(old ?? '')}\n    + ${short(now)}`;
    })
    .join('\n');
}

/** `edits` are the bytes that are changed, with those added last. */
export function planJson(plan: PatchPlan, applied: Applied | undefined) {
  const { target, wanted, program, chosen, undo, farm, fingerprint } = plan;
  const { payload } = chosen;
  return {
    program: target.typedName,
    realPath: target.path,
    sha256: fingerprint.program.sha256,
    kind: program.elf.type === ET_EXEC ? 'non-PIE' : 'PIE',
    payload: payload ?? null,
    method: chosen.method,
    grows: grownBy(plan),
    edits: editRows(plan),
    interpreter: { from: program.interpreter, to: wanted.interpreter },
    runPath: runPaths(plan),
    needed: neededRows(plan),
    lifted: wanted.lifted,
    notLifted: chosen.notLifted ?? null,
    farm: farm.path,
    undo: { ranges: undo.ranges.length, bytes: undoBytes(plan) },
    ...(applied === undefined
      ? {}
      : {
          root: applied.root ?? null,
          proof: { list: applied.objects, undo: true, structure: true, tried: applied.tried ?? null },
          result: { path: applied.file, size: applied.size },
        }),
  };
}

/** What `--json` prints: what is said of the file that was named alone, else an array, also of none. */
export function documentOf(rows: readonly unknown[], named: 'one' | 'several'): unknown {
  return named === 'one' && rows.length === 1 ? rows[0] : rows;
}

/** For people, once it is done. */
export function appliedText(plan: PatchPlan, applied: Applied): string {
  const { chosen, undo } = plan;
  const how = `${METHOD_TEXTS[chosen.method]}, ${undo.ranges.length} ranges, ${grownBy(plan)} bytes larger`;
  const tried = applied.tried === undefined ? '' : `; run with ${applied.tried.join(' ')}: the same`;
  const { notLifted } = chosen;
  const open =
    notLifted === undefined ? '' : `; LD_LIBRARY_PATH may change those that libraries need: ${notLifted}`;
  return `${applied.file}: patched ${how}; the loader takes the ${applied.objects} chosen files${tried}${open}\n  undo: nix-foreign unpatch ${fileWord(applied.file)}`;
}

/** For people, of a file that is already so. */
export function heldText({ change }: Held = { change: 'none', unpinned: undefined }): string {
  return change === 'none' ? 'nothing is to be done' : `its libraries are ${change}`;
}

/** For people, of a library in a tree. */
export function libraryText(outcome: PatchedLibrary, typedName: string): string {
  const { kind, plan, outline } = outcome;
  if (kind === 'unchanged') return `${typedName}: the library is patched already; ${heldText(outcome.held)}`;
  const { served } = outline;
  const { renamed } = plan.wanted;
  const finds = served.size === 0 ? [] : [`finds ${[...served.keys()].join(', ')} in ${plan.farm.path}`];
  const names = [...renamed].map(([from, to]) => `needs ${to} for ${from}`);
  const how = `${METHOD_TEXTS[plan.chosen.method]}, ${grownBy(plan)} bytes larger`;
  const word = kind === 'planned' ? 'would be' : 'is';
  return `${typedName}: the library ${word} patched ${how}; it ${[...finds, ...names].join(', and ')}`;
}

/** As of a program, without what only that has. */
export function libraryJson(outcome: PatchedLibrary) {
  const { kind, plan, outline } = outcome;
  const { target, wanted, chosen, undo, farm } = plan;
  return {
    library: target.typedName,
    realPath: target.path,
    sha256: undo.sha256,
    method: chosen.method,
    grows: grownBy(plan),
    edits: kind === 'unchanged' ? [] : editRows(plan),
    runPath: { from: outline.elf.runpath ?? outline.elf.rpath ?? null, to: wanted.runPath?.text ?? null },
    needed: outline.elf.needed.map((from) => ({
      from,
      to: wanted.renamed.get(from) ?? from,
      file: outline.served.get(from) ?? null,
    })),
    farm: farm.path,
    undo: { ranges: undo.ranges.length, bytes: undoBytes(plan) },
    ...(kind === 'unchanged' ? { unchanged: true } : {}),
    ...(kind === 'patched' ? { root: outcome.applied.root ?? null } : {}),
  };
}
