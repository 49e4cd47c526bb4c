// A word that is no key → the key that was meant, if one is near.

/** Single insertions, deletions and replacements, and swaps of neighbours, between two words (Damerau, 1964). */
function distance(a: string, b: string): number {
  let before: number[] = [];
  let above = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = (above[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped =
        i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
          ? (before[j - 2] ?? 0) + 1
          : Number.POSITIVE_INFINITY;
      row.push(Math.min(replaced, swapped, (above[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1));
    }
    before = above;
    above = row;
  }
  return above[b.length] ?? 0;
}

/** The same word for a person, whatever its case and separators. */
function plain(word: string): string {
  return word.toLowerCase().replaceAll(/[-_ .]/g, '');
}

/** At most half of the word may differ; a key that begins or ends with the word is near too. */
export function nearestKey<K extends string>(word: string, keys: readonly K[]): K | undefined {
  const typed = plain(word.slice(0, 100));
  const scored = keys.map((key) => ({ key, score: distance(typed, plain(key)) }));
  const best = scored.sort((a, b) => a.score - b.score)[0];
  if (best !== undefined && best.score <= Math.max(typed.length, best.key.length) / 2) return best.key;
  if (typed.length < 3) return undefined;
  return keys.find((key) => plain(key).startsWith(typed) || plain(key).endsWith(typed));
}
