// A JSON text that is not in canonical form → why, in a clause.

/** A string of JSON with its quotes, a bracket, or a comma; all else between them does not matter here. */
const TOKENS = /"[^"\\]*(?:\\.[^"\\]*)*"|[[\]{},]/g;

/** The first key that an object of a valid JSON text has twice; of two, readers take different ones. */
function doubledKey(text: string): string | undefined {
  const open: (Set<string> | undefined)[] = [];
  let keyNext = false;
  for (const [token] of text.matchAll(TOKENS)) {
    const keys = open.at(-1);
    if (token === '{') open.push(new Set());
    else if (token === '[') open.push(undefined);
    else if (token === '}' || token === ']') open.pop();
    else if (token !== ',' && keyNext && keys !== undefined) {
      const key = String(JSON.parse(token));
      if (keys.has(key)) return key;
      keys.add(key);
    }
    keyNext = token === '{' || token === ',';
  }
  return undefined;
}

/** Why `text`, which is valid JSON, is not the bytes `canonical`, though both may mean the same. */
export function whyNotCanonical(text: string, canonical: string): string {
  const key = doubledKey(text);
  if (key !== undefined) return `the key ${JSON.stringify(key)} is there twice`;
  let at = 0;
  while (at < text.length && text[at] === canonical[at]) at += 1;
  return `it is not in canonical form from character ${at + 1} on`;
}
