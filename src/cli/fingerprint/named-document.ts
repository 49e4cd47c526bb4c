// A file that the user named → the documents in it: one, or those of a tree.
import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import type { Fingerprint } from '../../fingerprint/fingerprint.ts';
import { parseFingerprint } from '../../fingerprint/parse-fingerprint.ts';
import { entriesOfTree, MAXIMUM_TREE_SIZE } from '../../fingerprint/tree-file.ts';
import { ForeignError, reasonOf } from '../../host/errors.ts';
import { locate } from '../../resolve/patch-target.ts';

export interface NamedDocument {
  readonly kind: 'one' | 'tree';
  readonly documents: readonly {
    readonly fingerprint: Fingerprint;
    readonly signatures: readonly string[];
    /** Canonical, with its signatures, as it stands in the file. */
    readonly text: string;
  }[];
}

function unusable(file: string, why: string, cause?: unknown): ForeignError {
  return new ForeignError(`${file}: ${why}`, {
    code: 'document',
    hint: 'name a file that nix-foreign fingerprint export has written',
    exitCode: 125,
    cause,
  });
}

/** @throws ForeignError `not-found`, `unreachable`, `document`. */
function readText(file: string): string {
  locate(file);
  try {
    const fd = openSync(file, 'r');
    try {
      if (fstatSync(fd).size > MAXIMUM_TREE_SIZE) throw unusable(file, 'it is larger than 16 MiB');
      return readFileSync(fd, 'utf8');
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    throw error instanceof ForeignError
      ? error
      : unusable(file, `it cannot be read: ${reasonOf(error)}`, error);
  }
}

/** A tree begins with its list, a document with the first of its own keys. */
function isTree(text: string): boolean {
  return text.startsWith('{"fingerprints":');
}

/**
 * Reads without asking who could have written it: it is looked at, not trusted.
 * @throws ForeignError `not-found`, `unreachable`; `document` when it cannot be read or is none.
 */
export function readNamedDocument(file: string, storeDir: string): NamedDocument {
  const text = readText(file);
  const entries = isTree(text) ? entriesOfTree(text) : undefined;
  if (entries?.kind === 'refused') throw unusable(file, entries.why);
  const texts = entries === undefined ? [text] : entries.entries.map((entry) => entry.text);
  const documents = texts.map((each) => {
    const parsed = parseFingerprint(each, storeDir);
    if (parsed.kind === 'refused') throw unusable(file, parsed.why);
    const { fingerprint, signatures } = parsed;
    return { fingerprint, signatures, text: each };
  });
  return { kind: entries === undefined ? 'one' : 'tree', documents };
}
