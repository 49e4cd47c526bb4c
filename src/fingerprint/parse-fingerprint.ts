// Text from anywhere → a fingerprint and its signatures, or why it is none. Size, shape, version, canonical form and
// every path are checked.
import * as v from 'valibot';
import { MOST_LIBRARIES } from '../candidates/searched-names.ts';
import { whyNoLibraryName } from '../elf/library-names.ts';
import { printableLine } from '../host/output.ts';
import { isStoreObjectName } from '../store/store-location.ts';
import { FINGERPRINT_VERSION, type Fingerprint, MAXIMUM_SIZE, signedText } from './fingerprint.ts';
import { hexOfNarHash } from './nar-hash.ts';

/** A reason quotes what it received, which may be a whole document. */
const LONGEST_REASON = 300;

type Parsed =
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

/** A message that ends with what was received. */
function saying(what: string): (issue: { readonly received: string }) => string {
  return (issue) => `${what}: ${issue.received}`;
}

const text = v.string(saying('no text'));
const hex64 = v.pipe(text, v.regex(/^[0-9a-f]{64}$/, saying('not 64 hexadecimal digits in lower case')));
const shortText = v.pipe(
  text,
  v.minLength(1, 'empty'),
  v.maxLength(4096, 'longer than 4096 characters'),
  v.regex(/^[^\0]*$/, 'holds a NUL'),
);
/** It becomes a file name in a farm: printable ASCII, no slash, neither `.` nor `..`, and no directory of the farm. */
const soname = v.pipe(
  text,
  v.regex(/^(?!\.{1,2}$|glibc-hwcaps$)[ -.0-~]{1,255}$/, saying('no file name of printable ASCII')),
  v.check((name) => whyNoLibraryName(name) === undefined, saying('it has a token that the loader replaces')),
);

function isInside(file: string): boolean {
  return (
    file.isWellFormed() &&
    file.split('/').every((part) => part !== '' && part !== '.' && part !== '..' && !part.includes('\0'))
  );
}

/** A relative path that stays inside: no empty, `.` or `..` component. */
const insideFile = v.pipe(
  text,
  v.maxLength(4096, 'longer than 4096 characters'),
  v.check(isInside, saying('not a path that stays inside the store object')),
);

/** `name:base64`, 64 bytes (FORMAT.md); the last of 86 digits carries two bits. */
const SIGNATURE = /^[!-9;-~]{1,255}:[A-Za-z0-9+/]{85}[AQgw]==$/;

const signatures = v.pipe(
  v.array(
    v.pipe(text, v.regex(SIGNATURE, saying('not the name of a key, a colon and 64 bytes in base 64'))),
    saying('no list'),
  ),
  v.minLength(1, 'empty'),
  v.maxLength(64, 'more than 64'),
  v.check((list) => list.every((each, i) => i === 0 || (list[i - 1] ?? '') < each), 'not sorted, once each'),
);

function storeFileEntries(storeDir: string) {
  const isStorePath = (path: string): boolean =>
    path.startsWith(`${storeDir}/`) && isStoreObjectName(path.slice(storeDir.length + 1));
  return {
    storePath: v.pipe(text, v.check(isStorePath, saying(`not a store path directly below ${storeDir}`))),
    file: insideFile,
    narHash: v.exactOptional(
      v.pipe(
        text,
        v.check((hash) => hexOfNarHash(hash) !== undefined, saying('no SHA-256 as Nix writes it')),
      ),
    ),
  };
}

/** valibot's schema of a travelling document in the present version; fingerprint.schema.json says the same. */
function schemaFor(storeDir: string) {
  const entries = storeFileEntries(storeDir);
  const library = v.strictObject({
    ...entries,
    soname,
    match: v.picklist(['exact', 'closest', 'dlopen', 'pinned'], saying('no way of matching')),
  });
  return v.strictObject({
    version: v.literal(FINGERPRINT_VERSION),
    program: v.strictObject({
      sha256: hex64,
      size: v.pipe(
        v.number(saying('no number')),
        v.safeInteger(saying('no whole number of bytes')),
        v.minValue(0, saying('less than nothing')),
      ),
      system: v.pipe(text, v.regex(/^[a-z0-9_]+-linux$/, saying('no Linux system'))),
      interpreter: shortText,
    }),
    loader: v.strictObject(entries),
    libraries: v.pipe(
      v.array(library, saying('no list')),
      v.maxLength(MOST_LIBRARIES, `more than ${MOST_LIBRARIES}`),
      v.check(
        (list) => new Set(list.map((each) => each.soname)).size === list.length,
        'a soname is there twice',
      ),
    ),
    choices: v.exactOptional(hex64),
    signatures: v.exactOptional(signatures),
    tool: v.strictObject({
      name: v.literal('nix-run-foreign', saying('written by another tool')),
      version: shortText,
    }),
  });
}

/** An issue of valibot → one clause: where, and what is wrong there. */
function clauseOf(issue: v.BaseIssue<unknown>): string {
  const where = v.getDotPath(issue) ?? 'the document';
  if (issue.type === 'strict_object') {
    if (issue.expected === 'never') return `${where}: no field of a fingerprint`;
    if (issue.expected?.startsWith('"')) return `${where}: missing`;
    return `${where}: no object: ${issue.received}`;
  }
  return `${where}: ${issue.message}`;
}

type Migrated =
  /** In the present version. Nothing in it was checked yet but its version. */
  | { readonly kind: 'present'; readonly value: object; readonly writtenIn: number }
  | { readonly kind: 'refused'; readonly why: string };

/** One step for each version that was left behind. Shallow: what is below the top is checked afterwards. */
const STEPS: ReadonlyMap<number, (value: object) => object> = new Map([
  // Version 1 is version 2 without `signatures`.
  [1, (value: object) => ({ ...value, version: 2 })],
]);

function notMigrated(why: string): Migrated {
  return { kind: 'refused', why };
}

/** Total: every value of JSON gives an answer. */
export function migrate(value: unknown): Migrated {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return notMigrated('it is no JSON object');
  const version = Object.hasOwn(value, 'version') && 'version' in value ? value.version : undefined;
  if (version === undefined) return notMigrated('version: it says none');
  if (typeof version !== 'number' || !Number.isSafeInteger(version) || version < 1) {
    return notMigrated(`version: no number of a format: ${JSON.stringify(version)}`);
  }
  if (version > FINGERPRINT_VERSION) {
    return notMigrated(
      `it has format ${version}, and this tool knows ${FINGERPRINT_VERSION}: take a newer nix-run-foreign`,
    );
  }
  if (version < 2 && Object.hasOwn(value, 'signatures')) return notMigrated('signatures: version 1 has none');
  let present: object = value;
  for (let from = version; from < FINGERPRINT_VERSION; from += 1)
    present = STEPS.get(from)?.(present) ?? present;
  return { kind: 'present', value: present, writtenIn: version };
}

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
function whyNotCanonical(text: string, canonical: string): string {
  const key = doubledKey(text);
  if (key !== undefined) return `the key ${JSON.stringify(key)} is there twice`;
  let at = 0;
  while (at < text.length && text[at] === canonical[at]) at += 1;
  return `it is not in canonical form from character ${at + 1} on`;
}
