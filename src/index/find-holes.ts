// Store paths and what Nix would fetch for them → those that it cannot have with all that they need.
import type { FetchPreview, Previewed } from '../store/preview-fetch.ts';

/** Times that Nix is asked which store path a missing one belongs to; the rest is taken for broken. */
const MOST_QUESTIONS = 24;

type Preview = (storePaths: readonly string[]) => Promise<Previewed>;

/** Whether something is missing that was not asked for by name, or would have to be built. */
function hasHole({ unknown, builds }: FetchPreview, storePaths: readonly string[]): boolean {
  return builds.length > 0 || unknown.some((each) => !storePaths.includes(each));
}

/** Nix says what is missing, not for whom: halves are asked for until it is one store path. */
async function searchHalves(storePaths: readonly string[], preview: Preview, count: { asked: number }) {
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
export async function findHoles(
  storePaths: readonly string[],
  first: FetchPreview,
  preview: Preview,
): Promise<readonly string[]> {
  const absent = storePaths.filter((each) => first.unknown.includes(each));
  if (!hasHole(first, storePaths)) return absent;
  const rest = storePaths.filter((each) => !absent.includes(each));
  const broken: readonly string[] = rest.length === 0 ? [] : await searchHalves(rest, preview, { asked: 0 });
  return [...absent, ...broken].sort();
}
