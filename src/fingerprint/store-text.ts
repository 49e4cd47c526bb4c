// A fingerprint → the text of a store object that is the document and references exactly the chosen store paths.
import type { StoreText } from '../store/pinned-text.ts';
import { canonicalText, type Fingerprint, storePathsOf } from './fingerprint.ts';

/** What Nix is to add for a fingerprint. The name shows the program's hash, the content is the document. */
export function storeTextOf(fingerprint: Fingerprint): StoreText {
  return {
    name: `fingerprint-${fingerprint.program.sha256.slice(0, 16)}.json`,
    content: canonicalText(fingerprint),
    references: storePathsOf(fingerprint),
  };
}
