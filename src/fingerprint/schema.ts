// The store directory → the shape of a fingerprint for that store, each refusal in words.
import * as v from 'valibot';
import { MOST_LIBRARIES } from '../candidates/searched-names.ts';
import { whyNoLibraryName } from '../elf/library-name.ts';
import { isStoreObjectName } from '../store/store-location.ts';
import { FINGERPRINT_VERSION } from './fingerprint.ts';
import { hexOfNarHash } from './nar-hash.ts';

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
export const SIGNATURE = /^[!-9;-~]{1,255}:[A-Za-z0-9+/]{85}[AQgw]==$/;

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
export function schemaFor(storeDir: string) {
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
export function clauseOf(issue: v.BaseIssue<unknown>): string {
  const where = v.getDotPath(issue) ?? 'the document';
  if (issue.type === 'strict_object') {
    if (issue.expected === 'never') return `${where}: no field of a fingerprint`;
    if (issue.expected?.startsWith('"')) return `${where}: missing`;
    return `${where}: no object: ${issue.received}`;
  }
  return `${where}: ${issue.message}`;
}
