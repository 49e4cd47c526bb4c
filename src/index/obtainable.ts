// Store paths → what can be had of them, by substituters or by caches that are indexes, and what cannot.
import type { FetchPreview, Previewed } from '../store/preview-fetch.ts';
import type { CacheCopy, CopiesFound } from './cache-closure.ts';

/** Who is asked. */
export interface Sources {
  /** Asks Nix (store/preview-fetch.ts, previewFetch). */
  readonly preview: (storePaths: readonly string[]) => Promise<Previewed>;
  /** Looks in the caches that are indexes themselves (cache-closure.ts). */
  readonly copies: (storePaths: readonly string[]) => Promise<CopiesFound>;
}

/** What can be had of a set of store paths. */
type Obtainable =
  | {
      readonly kind: 'asked';
      readonly preview: FetchPreview;
      readonly copies: readonly CacheCopy[];
      /** What no cache has, or not with all that it needs; sorted. */
      readonly lost: readonly string[];
      /** What may lack something, but was not asked for alone: there were too many; sorted. */
      readonly unasked: readonly string[];
      /** A cache that did not answer, one clause. */
      readonly unreachable: string | undefined;
    }
  | { readonly kind: 'failed'; readonly why: string };

/** Times that Nix is asked which store path a missing one belongs to; the rest stays unasked. */
const MOST_QUESTIONS = 24;

/** Whether something is missing that was not asked for by name, or would have to be built. */
function hasHole({ unknown, builds }: FetchPreview, storePaths: readonly string[]): boolean {
  return builds.length > 0 || unknown.some((each) => !storePaths.includes(each));
}

interface Holes {
  readonly broken: string[];
  readonly unasked: string[];
  asked: number;
}

/**
 * Nix says what is missing, not for whom: halves are asked for until it is one store path. Returns what kept Nix from
 * answering, one clause: then nothing is known of any of them.
 */
async function searchHalves(
  storePaths: readonly string[],
  preview: Sources['preview'],
  holes: Holes,
): Promise<string | undefined> {
  if (storePaths.length === 1) holes.broken.push(...storePaths);
  if (storePaths.length <= 1) return undefined;
  const half = Math.ceil(storePaths.length / 2);
  for (const part of [storePaths.slice(0, half), storePaths.slice(half)]) {
    const failure = await searchPart(part, preview, holes);
    if (failure !== undefined) return failure;
  }
  return undefined;
}

async function searchPart(
  part: readonly string[],
  preview: Sources['preview'],
  holes: Holes,
): Promise<string | undefined> {
  if (holes.asked === MOST_QUESTIONS) holes.unasked.push(...part);
  if (holes.asked === MOST_QUESTIONS) return undefined;
  holes.asked += 1;
  const answer = await preview(part);
  if (answer.kind === 'failed') return answer.why;
  return hasHole(answer.preview, part) ? await searchHalves(part, preview, holes) : undefined;
}

/** Asks for all at once; for parts only where something that they need is missing. */
export async function askFor(storePaths: readonly string[], sources: Sources): Promise<Obtainable> {
  const answer = await sources.preview(storePaths);
  if (answer.kind === 'failed') return answer;
  const { preview } = answer;
  const absent = storePaths.filter((each) => preview.unknown.includes(each));
  const holes: Holes = { broken: [...absent], unasked: [], asked: 0 };
  const rest = hasHole(preview, storePaths) ? storePaths.filter((each) => !absent.includes(each)) : [];
  const why = await searchHalves(rest, sources.preview, holes);
  if (why !== undefined) return { kind: 'failed', why };
  const wanted = [...holes.broken, ...holes.unasked].sort();
  const found = wanted.length === 0 ? undefined : await sources.copies(wanted);
  const copies = found?.copies ?? [];
  const copied = new Set(copies.flatMap(({ storePaths: each }) => each));
  const [lost, unasked] = [holes.broken, holes.unasked].map((those) =>
    those.filter((each) => !copied.has(each)).sort(),
  ) as [string[], string[]];
  const silent = answer.unreachable ?? found?.unreachable;
  return { kind: 'asked', preview, copies, lost, unasked, unreachable: silent };
}
