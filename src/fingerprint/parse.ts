// Text from anywhere → a fingerprint, or why it is none. Size, shape and every path are checked.
import * as v from 'valibot';
import { printableLine } from '../platform/terminal-text.ts';
import { isStoreObjectName } from '../store/store-location.ts';
import { canonicalText, FINGERPRINT_VERSION, type Fingerprint, MAXIMUM_SIZE } from './fingerprint.ts';

/** A reason quotes what it received, which may be a whole document. */
const LONGEST_REASON = 300;

const hex64 = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/));
const shortText = v.pipe(v.string(), v.minLength(1), v.maxLength(4096));
/** It becomes a file name in a farm: printable ASCII, no slash, neither `.` nor `..`, and no directory of the farm. */
const soname = v.pipe(v.string(), v.regex(/^(?!\.{1,2}$|glibc-hwcaps$)[ -.0-~]{1,255}$/));

/** A relative path that stays inside: no empty, `.` or `..` component. */
const insideFile = v.pipe(
  v.string(),
  v.maxLength(4096),
  v.check((file) =>
    file.split('/').every((part) => part !== '' && part !== '.' && part !== '..' && !part.includes('\0')),
  ),
);

function storeFileEntries(storeDir: string) {
  const storePath = v.pipe(
    v.string(),
    v.check((text) => text.startsWith(`${storeDir}/`) && isStoreObjectName(text.slice(storeDir.length + 1))),
  );
  return {
    storePath,
    file: insideFile,
    narHash: v.exactOptional(v.pipe(v.string(), v.regex(/^sha256:[0-9a-z]{52,64}$/))),
  };
}

function schemaFor(storeDir: string) {
  const entries = storeFileEntries(storeDir);
  return v.strictObject({
    version: v.literal(FINGERPRINT_VERSION),
    program: v.strictObject({
      sha256: hex64,
      size: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
      system: v.pipe(v.string(), v.regex(/^[a-z0-9_]+-linux$/)),
      interpreter: shortText,
    }),
    loader: v.strictObject(entries),
    libraries: v.pipe(
      v.array(
        v.strictObject({ ...entries, soname, match: v.picklist(['exact', 'closest', 'dlopen', 'pinned']) }),
      ),
      v.maxLength(5000),
      v.check(
        (list) => new Set(list.map((each) => each.soname)).size === list.length,
        'a soname is there twice',
      ),
    ),
    choices: v.exactOptional(hex64),
    tool: v.strictObject({ name: v.literal('nix-run-foreign'), version: shortText }),
  });
}

export type Parsed =
  | { readonly kind: 'fingerprint'; readonly fingerprint: Fingerprint }
  | { readonly kind: 'refused'; readonly why: string };

/** Reads a fingerprint for the store at `storeDir`. Total: every text gives an answer. */
export function parseFingerprint(text: string, storeDir: string): Parsed {
  if (text.length > MAXIMUM_SIZE) return { kind: 'refused', why: 'it is larger than 1 MiB' };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { kind: 'refused', why: 'it is not JSON' };
  }
  const version =
    typeof value === 'object' && value !== null && 'version' in value ? value.version : undefined;
  if (typeof version === 'number' && version > FINGERPRINT_VERSION) {
    return { kind: 'refused', why: `it has format ${version}, and this tool knows ${FINGERPRINT_VERSION}` };
  }
  const result = v.safeParse(schemaFor(storeDir), value);
  if (!result.success) {
    const issue = result.issues[0];
    const why = printableLine(`${v.getDotPath(issue) ?? 'the document'}: ${issue.message}`);
    return { kind: 'refused', why: why.slice(0, LONGEST_REASON) };
  }
  const fingerprint = result.output as Fingerprint;
  // Also refuses a key that is there twice, of which another reader might take the other.
  if (canonicalText(fingerprint) !== text) return { kind: 'refused', why: 'it is not in canonical form' };
  return { kind: 'fingerprint', fingerprint };
}
