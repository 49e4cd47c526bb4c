// Documents of many programs ⇄ the one file for a whole tree of them; one is found without reading the rest.
import { FINGERPRINT_VERSION } from './fingerprint.ts';

/** Bump when the frame changes; the documents in it have versions of their own. */
const TREE_VERSION = 1;

/** In bytes. About 1,700 programs with 40 libraries each. */
export const MAXIMUM_TREE_SIZE = 16 << 20;

const HEAD = '{"fingerprints":[\n';
const TAIL = `],"version":${TREE_VERSION}}\n`;

/** One program's document as parse-fingerprint.ts reads it: canonical, with its line feed. */
export interface TreeEntry {
  readonly sha256: string;
  readonly text: string;
}

type FoundInTree =
  | { readonly kind: 'found'; readonly text: string }
  | { readonly kind: 'absent' }
  | { readonly kind: 'refused'; readonly why: string };

/** The bytes of a tree file: sorted by program, one line each. Of two documents for one program the first counts. */
export function treeText(entries: readonly TreeEntry[]): string {
  const first = new Map<string, string>();
  for (const { sha256, text } of entries) if (!first.has(sha256)) first.set(sha256, text.trimEnd());
  const lines = [...first].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, line]) => line);
  return `${HEAD}${lines.join(',\n')}${lines.length === 0 ? '' : '\n'}${TAIL}`;
}

/** Why a text has not the frame of a tree file; undefined when it has. */
function whyNoTree(text: string): string | undefined {
  if (text.length > MAXIMUM_TREE_SIZE) return 'it is larger than 16 MiB';
  const version = /(?:^|\n)\],"version":(\d{1,15})\}\n$/.exec(text.slice(-64))?.[1];
  if (version !== undefined && Number(version) > TREE_VERSION) {
    return `it is a tree of format ${version}, and this tool knows ${TREE_VERSION}: take a newer nix-run-foreign`;
  }
  const isFramed = text.startsWith(HEAD) && text.endsWith(`\n${TAIL}`);
  return isFramed ? undefined : 'it is no tree of fingerprints as nix-foreign writes it';
}

/** The line that starts at `start`, as a document; undefined where its comma is missing or one too many. */
function documentAt(
  text: string,
  start: number,
): { readonly text: string; readonly end: number } | undefined {
  const end = text.indexOf('\n', start);
  const isLast = end + 1 === text.length - TAIL.length;
  if (text.endsWith(',', end) === isLast) return undefined;
  return { text: `${text.slice(start, isLast ? end : end - 1)}\n`, end };
}

/**
 * The document of one program, to be read by parse-fingerprint.ts. In a canonical document `"sha256":"` can only be
 * that key: inside a string its quotes would be escaped. So a search is enough, and 16 MiB take milliseconds. Total.
 */
export function findInTree(text: string, sha256: string): FoundInTree {
  const why = whyNoTree(text);
  if (why !== undefined) return { kind: 'refused', why };
  const needle = `"sha256":"${sha256}"`;
  const at = text.indexOf(needle);
  if (at === -1) return { kind: 'absent' };
  const found = documentAt(text, text.lastIndexOf('\n', at) + 1);
  if (found === undefined)
    return { kind: 'refused', why: 'a comma between two programs is missing or too many' };
  if (text.includes(needle, found.end)) return { kind: 'refused', why: 'the program is there twice' };
  return { kind: 'found', text: found.text };
}

export type TreeEntries =
  | { readonly kind: 'entries'; readonly entries: readonly TreeEntry[] }
  | { readonly kind: 'refused'; readonly why: string };

/** Every document of a tree, sorted by program; each is still to be checked (parse-fingerprint.ts). Total. */
export function entriesOfTree(text: string): TreeEntries {
  const why = whyNoTree(text);
  if (why !== undefined) return { kind: 'refused', why };
  const entries: TreeEntry[] = [];
  for (let start = HEAD.length; start < text.length - TAIL.length; ) {
    const document = documentAt(text, start);
    const sha256 = /"sha256":"([0-9a-f]{64})"/.exec(document?.text ?? '')?.[1];
    if (document === undefined || sha256 === undefined) {
      return {
        kind: 'refused',
        why: `line ${entries.length + 2} is no fingerprint of version 1 to ${FINGERPRINT_VERSION}`,
      };
    }
    if (sha256 <= (entries.at(-1)?.sha256 ?? '')) {
      return { kind: 'refused', why: `line ${entries.length + 2} is not sorted by program, once each` };
    }
    entries.push({ sha256, text: document.text });
    start = document.end + 1;
  }
  return { kind: 'entries', entries };
}
