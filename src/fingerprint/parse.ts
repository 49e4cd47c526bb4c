// Text from anywhere → a fingerprint and its signatures, or why it is none. Size, shape and every path are checked.
import * as v from 'valibot';
import { printableLine } from '../platform/terminal-text.ts';
import { whyNotCanonical } from './canonical-form.ts';
import { type Fingerprint, MAXIMUM_SIZE, signedText } from './fingerprint.ts';
import { migrate } from './migrate.ts';
import { clauseOf, schemaFor } from './schema.ts';

/** A reason quotes what it received, which may be a whole document. */
const LONGEST_REASON = 300;

export type Parsed =
  | {
      readonly kind: 'fingerprint';
      /** In the present version, whatever it was written in. */
      readonly fingerprint: Fingerprint;
      /** `name:base64` each, sorted; nobody verified them yet. */
      readonly signatures: readonly string[];
      /** What they sign (sign.ts): the canonical text without them, in the version it was written in. */
      readonly unsigned: string;
    }
  | { readonly kind: 'refused'; readonly why: string };

function refused(why: string): Parsed {
  const line = printableLine(why);
  return {
    kind: 'refused',
    why: line.length > LONGEST_REASON ? `${line.slice(0, LONGEST_REASON - 3)}...` : line,
  };
}

/** Reads a fingerprint for the store at `storeDir`. Total: every text gives an answer. */
export function parseFingerprint(text: string, storeDir: string): Parsed {
  if (text.length > MAXIMUM_SIZE) return refused('it is larger than 1 MiB');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return refused('it is not JSON');
  }
  const migrated = migrate(value);
  if (migrated.kind === 'refused') return refused(migrated.why);
  const result = v.safeParse(schemaFor(storeDir), migrated.value, { abortEarly: true });
  if (!result.success) return refused(clauseOf(result.issues[0]));
  const { signatures = [], ...rest } = result.output;
  const fingerprint = rest as Fingerprint;
  const written = { ...fingerprint, version: migrated.writtenIn };
  // Also refuses a key that is there twice, of which another reader might take the other.
  const canonical = signedText(written, signatures);
  if (canonical !== text) return refused(whyNotCanonical(text, canonical));
  return { kind: 'fingerprint', fingerprint, signatures, unsigned: signedText(written, []) };
}
