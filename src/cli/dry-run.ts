// `nix-foreign resolve --dry-run PROGRAM`: what would be chosen and fetched, and how large that is; nothing is changed.
import { listText, printJson, printLine } from '../host/output.ts';
import { fileWord } from '../host/shell-words.ts';
import { inBinaryUnits } from '../index/fetch-policy.ts';
import { absentText } from '../index/fetch-words.ts';
import type { FetchPlan, PlannedFetch } from '../index/plan-fetch.ts';
import { inspectProgram } from '../program/inspect-program.ts';
import type { Context } from '../resolve/context.ts';
import { dynamicOf } from '../resolve/job.ts';
import {
  isFetchOff,
  previewFromStore,
  previewOfFetch,
  type StorePreview,
} from '../resolve/preview-resolution.ts';
import { inWritableDirectories } from '../resolve/writable-directories.ts';
import { nameOfStoreObject } from '../store/store-location.ts';
import { jsonFailure } from './command.ts';

function table(rows: readonly (readonly [name: string, where: string])[]): string[] {
  const width = Math.max(0, ...rows.map(([name]) => name.length));
  return rows.map(([name, where]) => `  ${name.padEnd(width)}  ${where}`);
}

function sizeLine({ preview, glibcs }: PlannedFetch): string {
  const { paths, download, unpacked } = preview;
  const packages = paths.length === 1 ? '1 package' : `${paths.length} packages`;
  const loader = glibcs.length === 0 ? '' : `, ${glibcs.join(', ')} among them`;
  return `${packages}${loader}: ${inBinaryUnits(download)} to download, ${inBinaryUnits(unpacked)} unpacked`;
}

/** An old index may name dozens. */
const MOST_LOST = 4;

function fetchLines(plan: FetchPlan, program: string, { isBeside }: StorePreview): string[] {
  if (plan.kind === 'failed') return [`nothing can be fetched: ${plan.why}`];
  const told = plan.absent.filter(({ dropped }) => dropped.unavailable === undefined);
  const texts = told.map((each) => absentText(each, program));
  const absent = texts.map(({ why, remedy }) => (isBeside ? why : `${why}; ${remedy}`));
  const names = listText(plan.unavailable.map(nameOfStoreObject), MOST_LOST);
  const lost = names === '' ? [] : [`no substituter has all of ${names}`];
  if (plan.kind === 'nothing') return [...absent, ...lost];
  const rows = plan.chosen.map(({ name, candidate, others }) => {
    const rest = others.length === 0 ? '' : `  (and ${others.length} other${others.length > 1 ? 's' : ''})`;
    return [name, `${nameOfStoreObject(candidate.storePath)}${rest}`] as const;
  });
  return ['to be fetched:', ...table(rows), sizeLine(plan), ...absent, ...lost];
}

function storeLines(
  { chosen, optional, lacking, error, isBeside }: StorePreview,
  plan: FetchPlan | undefined,
): string[] {
  const rows = [...chosen, ...optional].map(
    ({ name, provider }) =>
      [
        name,
        nameOfStoreObject(provider.storePath) + (provider.match === 'closest' ? ', another version' : ''),
      ] as const,
  );
  if (rows.length > 0) return ['from the store:', ...table(rows)];
  const isFetched = plan?.kind === 'planned' && plan.absent.length === 0;
  const isRemedy = plan === undefined || (isBeside && !isFetched);
  const hint = isRemedy && error?.hint !== undefined ? [`  ${error.hint}`] : [];
  if (error === undefined || plan?.kind === 'planned')
    return lacking.length === 0
      ? []
      : [`not in the store: ${lacking.map(({ name }) => name).join(', ')}`, ...hint];
  // Each message begins with the program, which stands above.
  return [error.message.replace(/^\S+: /, ''), ...hint];
}

/** What `resolve --dry-run --json` tells of the store. */
type StoreShown = Pick<StorePreview, 'chosen' | 'optional' | 'lacking' | 'error'>;

const NOTHING: StoreShown = { chosen: [], optional: [], lacking: [], error: undefined };

function jsonOf(program: string, store: StoreShown, plan: FetchPlan | undefined) {
  const absent = plan !== undefined && 'absent' in plan ? plan.absent : [];
  const libraries = [...store.chosen, ...store.optional].map(({ name, provider }) => ({
    name,
    file: provider.path,
    match: provider.match ?? 'exact',
  }));
  const { lacking, error } = store;
  const fetch = plan?.kind === 'planned' ? fetchJson(plan) : null;
  return {
    program,
    libraries,
    lacking,
    fetch,
    absent: absent.map((each) => ({ ...each, ...absentText(each, program) })),
    error: error === undefined ? null : jsonFailure(error).error,
  };
}

function fetchJson({ chosen, paths, preview, glibcs, unavailable }: PlannedFetch) {
  return {
    chosen: chosen.map(({ name, candidate, others }) => ({
      name,
      storePath: candidate.storePath,
      others: others.map(({ storePath }) => storePath),
    })),
    paths,
    all: preview.paths,
    download: preview.download,
    unpacked: preview.unpacked,
    glibcs,
    unavailable,
  };
}

export async function dryRunCommand(
  typedName: string,
  format: 'text' | 'json',
  context: Context,
): Promise<void> {
  const file = inspectProgram(typedName, context.host);
  const program = dynamicOf(file);
  if (program === undefined)
    return format === 'json'
      ? printJson(jsonOf(file.path, NOTHING, undefined))
      : printLine(`${file.path}: it needs no library of ours`);
  await inWritableDirectories(context.host.uid, async (dirs) => {
    const request = { program, context, dirs };
    const store = await previewFromStore(request);
    const plan = await previewOfFetch(request, store.lacking);
    if (format === 'json') return void printJson(jsonOf(program.path, store, plan));
    const isOff = await isFetchOff(request, store.lacking);
    const off = `fetching is off; allow it once: nix-foreign resolve --fetch ${fileWord(typedName)}`;
    const fetched = plan === undefined ? [] : fetchLines(plan, typedName, store);
    const lines = [...storeLines(store, plan), ...fetched, ...(isOff ? [off] : [])];
    printLine([`${program.path}:`, ...lines].join('\n'));
  });
}
