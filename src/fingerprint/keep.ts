// A fingerprint → a store object that is the document and references exactly the chosen store paths.
import { addText, type Nix } from '../store/nix-commands.ts';
import { canonicalText, type Fingerprint, storePathsOf } from './fingerprint.ts';

export type Kept =
  | { readonly kind: 'added'; readonly storePath: string }
  | { readonly kind: 'refused'; readonly why: string };

/** Adds the fingerprint to the store. Refused, mostly, when a chosen store path is not valid any more. */
export function addFingerprint(nix: Nix, fingerprint: Fingerprint): Promise<Kept> {
  return addText(nix, {
    name: `fingerprint-${fingerprint.program.sha256.slice(0, 16)}.json`,
    content: canonicalText(fingerprint),
    references: storePathsOf(fingerprint),
  });
}
