// Store paths → what can be had of them, by substituters or by caches that are indexes, and what cannot.
import type { FetchPreview, Previewed } from '../store/preview-fetch.ts';
import type { CacheCopy } from './cache-closure.ts';

/** Who is asked. */
export interface Sources {
  /** Asks Nix (store/preview-fetch.ts, previewFetch). */
  readonly preview: (storePaths: readonly string[]) => Promise<Previewed>;
  /** Looks in the caches that are indexes themselves (cache-closure.ts). */
  readonly copies: (storePaths: readonly string[]) => Promise<readonly CacheCopy[]>;
}

/** What can be had of a set of store paths. */
type Obtainable =
  | {
      readonly kind: 'asked';
      readonly preview: FetchPreview;
      readonly copies: readonly CacheCopy[];
      /** What no cache has, or not with all that it needs; sorted. */
      readonly lost: readonly string[];
      /** A cache that did not answer, one clause. */
      readonly unreachable: string | undefined;
    }
  | { readonly kind: 'failed'; readonly why: string };

/** Times that Nix is asked which store path a missing one belongs to; the rest is taken for broken. */
const MOST_QUESTIONS = 24;

/** Whether something is missing that was not asked for by name, or would have to be built. */
function hasHole({ unknown, builds }: FetchPreview, storePaths: readonly string[]): boolean {
  return builds.length > 0 || unknown.some((each) => !storePaths.includes(each));
}

/** Nix says what is missing, not for whom: halves are asked for until it is one store path. */
async function searchHalves(
  storePaths: readonly string[],
  preview: Sources['preview'],
  count: { asked: number },
): Promise<readonly string[]> {
  if (storePaths.length === 1) return storePaths;
  const half = Math.ceil(storePaths.length / 2);
  const broken: string[] = [];
  for (const part of [storePaths.slice(0, half), storePaths.slice(half)]) {
    count.asked += 1;
    const answer = count.asked > MOST_QUESTIONS ? undefined : await preview(part);
    const isWhole = answer?.kind === 'previewed' && !hasHole(answer.preview, part);
    if (!isWhole) broken.push(...(answer === undefined ? part : await searchHalves(part, preview, count)));
  }
  return broken;
}

/** Those that no substituter has, and those of which it lacks a reference. Asks further where that is needed. */
async function findHoles(
  storePaths: readonly string[],
  first: FetchPreview,
  preview: Sources['preview'],
): Promise<readonly string[]> {
  const absent = storePaths.filter((each) => first.unknown.includes(each));
  if (!hasHole(first, storePaths)) return absent;
  const rest = storePaths.filter((each) => !absent.includes(each));
  const broken = rest.length === 0 ? [] : await searchHalves(rest, preview, { asked: 0 });
  return [...absent, ...broken].sort();
}

/** Asks for all at once; for parts only where something that they need is missing. */
export async function askFor(storePaths: readonly string[], sources: Sources): Promise<Obtainable> {
  const answer = await sources.preview(storePaths);
  if (answer.kind === 'failed') return answer;
  const { preview, unreachable } = answer;
  const holes = await findHoles(storePaths, preview, sources.preview);
  const copies = holes.length === 0 ? [] : await sources.copies(holes);
  const copied = new Set(copies.flatMap(({ storePaths: each }) => each));
  return { kind: 'asked', preview, copies, lost: holes.filter((each) => !copied.has(each)), unreachable };
}
