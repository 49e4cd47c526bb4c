// `nix-foreign roots`: what is pinned, for which program, and how much of the store only that keeps.
import { ForeignError } from '../errors.ts';
import type { Context } from '../pipeline/context.ts';
import { keptRoots, type RootRow, whyPrunable } from '../pipeline/kept-roots.ts';
import { places } from '../pipeline/usable-place.ts';
import { believedSystemPlace } from '../platform/places.ts';
import { printJson, printLine } from '../platform/print.ts';
import { debug } from '../platform/report.ts';
import { printableLine } from '../platform/terminal-text.ts';
import { sizeText } from '../store/closure-size.ts';
import { type Weights, weighRoots } from '../store/root-weights.ts';

interface Row {
  readonly program: string | null;
  readonly root: string;
  readonly storePath: string;
  readonly lastUse: string;
  readonly prunable: string | null;
  /** Bytes; null where no Nix answers. */
  readonly closure: number | null;
  readonly onlyThis: number | null;
}

function rowOf(row: RootRow, weights: Weights | undefined): Row {
  const weight = weights?.byLink.get(row.link);
  return {
    program: row.plan?.program ?? null,
    root: row.link,
    storePath: row.storePath,
    lastUse: new Date(row.lastUse).toISOString().slice(0, 10),
    prunable: whyPrunable(row, undefined, Date.now()) ?? null,
    closure: weight?.closure ?? null,
    onlyThis: weight?.alone ?? null,
  };
}

function size(bytes: number | null): string {
  return bytes === null ? '?' : bytes === 0 ? '0' : sizeText(bytes);
}

function tableOf(rows: readonly Row[]): string[] {
  const cells = rows.map(({ closure, onlyThis, lastUse, program, prunable, root }) => [
    size(closure),
    size(onlyThis),
    lastUse,
    `${program ?? `(no plan) ${root}`}${prunable === null ? '' : `  (${prunable})`}`,
  ]);
  const lines = [['closure', 'only this', 'last use', 'program'], ...cells];
  const width = (column: number) => Math.max(...lines.map((cell) => (cell[column] ?? '').length));
  const [first, second, third] = [width(0), width(1), width(2)];
  return lines.map(([a = '', b = '', c = '', d = '']) =>
    printableLine(`${a.padStart(first)}  ${b.padStart(second)}  ${c.padEnd(third)}  ${d}`),
  );
}

/** Undefined where no Nix answers: without a daemon a user may not ask which roots there are. */
async function weightsOf(kept: readonly RootRow[], { location, nix }: Context): Promise<Weights | undefined> {
  if (nix === undefined) return undefined;
  try {
    return await weighRoots(location, nix, kept);
  } catch (error) {
    if (!(error instanceof ForeignError)) throw error;
    debug(`roots have no sizes: ${error.message}`);
    return undefined;
  }
}

export async function rootsCommand(options: { json: boolean }, context: Context): Promise<void> {
  const system = believedSystemPlace();
  const all = [...(await places(context.surroundings.uid)), ...(system === undefined ? [] : [system])];
  const kept = all.flatMap(keptRoots);
  const weights = kept.length === 0 ? undefined : await weightsOf(kept, context);
  const rows = kept.map((row) => rowOf(row, weights));
  if (options.json) {
    const { closure = null, ours = null } = weights ?? {};
    return printJson({ roots: rows, closure, onlyOurs: ours });
  }
  if (rows.length === 0)
    return printLine('nothing is pinned; the first start of a program pins its libraries');
  const total =
    weights === undefined
      ? []
      : ['', `${size(weights.closure)} in all, of which ${size(weights.ours)} would go without us`];
  printLine([...tableOf(rows), ...total].join('\n'));
}
