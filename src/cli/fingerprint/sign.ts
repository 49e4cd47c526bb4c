// `nix-foreign fingerprint sign --key KEY FILE...`: the key in a file → a signature in each document.
import { closeSync, fstatSync, openSync, readFileSync, type Stats } from 'node:fs';
import { type Fingerprint, signedText } from '../../fingerprint/fingerprint.ts';
import { parseSecretKey, type SecretKey, signFingerprint } from '../../fingerprint/signature.ts';
import { treeText } from '../../fingerprint/tree-file.ts';
import { ForeignError, reasonOf } from '../../host/errors.ts';
import { notice, printJson, printOneLine } from '../../host/output.ts';
import { fileWord } from '../../host/shell-words.ts';
import type { Context } from '../../resolve/context.ts';
import { writeOutput } from '../output-file.ts';
import { usageError } from '../usage-error.ts';
import { readNamedDocument } from './named-document.ts';

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

const HINT = 'make one with: nix-store --generate-binary-cache-key NAME FILE PUBLIC-FILE';

function unusable(file: string, why: string): ForeignError {
  return new ForeignError(`${file}: ${why}`, { code: 'key', hint: HINT, exitCode: 125 });
}

interface KeyFile {
  readonly text: string;
  readonly stats: Stats;
}

function readKeyFile(file: string): KeyFile {
  let fd: number | undefined;
  try {
    fd = openSync(file, 'r');
    return { stats: fstatSync(fd), text: readFileSync(fd, 'utf8') };
  } catch (error) {
    throw unusable(file, `it cannot be read: ${reasonOf(error)}`);
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

/** ssh(1) refuses such a file; here it is told, since Nix itself makes keys with the modes of the umask. */
function warnOfReaders(file: string, stats: Stats): void {
  if (stats.isFile() && (stats.mode & 0o077) !== 0)
    notice(`others may read or change the secret key ${file}: chmod 600 ${fileWord(file)}`);
}

/** @throws ForeignError `key` when the file cannot be read or holds no secret key. */
export function readSecretKey(file: string): SecretKey {
  const { text, stats } = readKeyFile(file);
  const parsed = parseSecretKey(text);
  if (parsed.kind === 'refused') throw unusable(file, parsed.why);
  warnOfReaders(file, stats);
  return parsed.key;
}
