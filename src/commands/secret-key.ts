// The file that --key names → the key that signs.
import { readFileSync } from 'node:fs';
import { ForeignError, reasonOf } from '../errors.ts';
import { parseSecretKey, type SecretKey } from '../fingerprint/keys.ts';

const HINT = 'make one with: nix key generate-secret --key-name NAME > FILE';

function unusable(file: string, why: string): ForeignError {
  return new ForeignError(`${file}: ${why}`, { code: 'key', hint: HINT, exitCode: 125 });
}

/** @throws ForeignError `key` when the file cannot be read or holds no secret key. */
export function readSecretKey(file: string): SecretKey {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw unusable(file, `it cannot be read: ${reasonOf(error)}`);
  }
  const parsed = parseSecretKey(text);
  if (parsed.kind === 'refused') throw unusable(file, parsed.why);
  return parsed.key;
}
