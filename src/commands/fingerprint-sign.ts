// `nix-foreign fingerprint sign --key KEY FILE...`: a signature into each document, beside those that are there.
import { type Fingerprint, signedText } from '../fingerprint/fingerprint.ts';
import type { SecretKey } from '../fingerprint/keys.ts';
import { readNamedDocument } from '../fingerprint/named-document.ts';
import { signFingerprint } from '../fingerprint/sign.ts';
import { treeText } from '../fingerprint/tree-file.ts';
import type { Context } from '../pipeline/context.ts';
import { printJson, printOneLine } from '../platform/print.ts';
import { writeOutput } from './output-file.ts';
import { readSecretKey } from './secret-key.ts';
import { usageError } from './usage-error.ts';

/** An earlier signature by a key of this name is replaced: the key may have been. */
function resigned(fingerprint: Fingerprint, signatures: readonly string[], key: SecretKey): string {
  const others = signatures.filter((each) => !each.startsWith(`${key.name}:`));
  return signedText(fingerprint, [...others, signFingerprint(fingerprint, key)].sort());
}

function signFile(file: string, key: SecretKey, context: Context): void {
  const { kind, documents } = readNamedDocument(file, context.location.storeDir);
  const entries = documents.map(({ fingerprint, signatures }) => ({
    sha256: fingerprint.program.sha256,
    text: resigned(fingerprint, signatures, key),
  }));
  writeOutput(file, kind === 'tree' ? treeText(entries) : (entries[0]?.text ?? ''));
}

/** Signs files in place. All are read before the first is written. */
export function signCommand(
  files: readonly string[],
  options: { key: string | undefined; json: boolean },
  context: Context,
): void {
  if (options.key === undefined)
    throw usageError('fingerprint sign needs a key', 'name its file: --key FILE');
  const key = readSecretKey(options.key);
  for (const file of files) readNamedDocument(file, context.location.storeDir);
  for (const file of files) signFile(file, key, context);
  if (options.json) printJson({ signed: files, key: key.public.text });
  else
    for (const file of files)
      printOneLine(`signed ${file} with ${key.name}; its public key is ${key.public.text}`);
}
