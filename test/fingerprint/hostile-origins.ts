// Programs, owners and signatures → documents that are well-formed and still not to be trusted.

import { canonicalText, type Fingerprint, signedText } from '../../src/fingerprint/fingerprint.ts';
import { signFingerprint } from '../../src/fingerprint/signature.ts';
import { type FingerprintOrigin, type Owners, writersOf } from '../../src/fingerprint/trust.ts';
import { changed, good, object, secretKey, type Wrong } from './documents.ts';
import { mallory, type Situation, source, text, trusted, vendor, verdictOf } from './hostile-situation.ts';

/** A document that is well-formed and says something wrong. */
function saying(cause: string, line: RegExp, change: (document: Wrong) => void, origin = trusted): Situation {
  return { cause, line, judge: () => verdictOf(canonicalText(changed(change)), origin) };
}

export const byProgram: Record<string, Situation> = {
  'the document of another program': saying(
    'other-program',
    /^it is for another program, with the SHA-256 cdcdcdcdcdcdcdcd\.\.\.$/,
    (each) => (each.program.sha256 = 'cd'.repeat(32)),
  ),
  'a hash that differs in its last digit': saying(
    'other-program',
    /^it is for another program, with the SHA-256 abababababababab\.\.\.$/,
    (each) => (each.program.sha256 = `${'ab'.repeat(31)}ac`),
  ),
  'the right hash and another size': saying(
    'other-program',
    /^it gives the program 1235 bytes, and it has 1234$/,
    (each) => (each.program.size = 1235),
  ),
  'the document of another machine': saying(
    'other-program',
    /^it takes the program for one of aarch64-linux, and it is of x86_64-linux$/,
    (each) => (each.program.system = 'aarch64-linux'),
  ),
  'another interpreter': saying(
    'other-program',
    /^it names another interpreter than the program: \/tmp\/ld\.so$/,
    (each) => (each.program.interpreter = '/tmp/ld.so'),
  ),
  'another program of the store for a loader': saying(
    'loader-name',
    /^it gives rm for the loader, and no loader is called that$/,
    (each) => (each.loader = { storePath: object('coreutils-9.5'), file: 'bin/rm' }),
  ),
  'an interpreter that reaches for the terminal': saying(
    'other-program',
    /^it names another interpreter than the program: \/x\?\[2J\?\?$/,
    (each) => (each.program.interpreter = '/x\u001b[2J\n\u202e'),
  ),
  'a libc that is listed': saying(
    'libc-family',
    /^it lists libc\.so\.6, which always comes from the loader's own store object$/,
    (each) => (each.libraries[0].soname = 'libc.so.6'),
  ),
  'a part of the libc that is listed': saying(
    'libc-family',
    /^it lists libpthread\.so\.0, which/,
    (each) => (each.libraries[0].soname = 'libpthread.so.0'),
  ),
  'a second loader': saying(
    'libc-family',
    /^it lists ld-linux-x86-64\.so\.2, which/,
    (each) => (each.libraries[0].soname = 'ld-linux-x86-64.so.2'),
  ),
  'a libc under another name': saying(
    'libc-family',
    /^it serves libz\.so\.1 by lib\/libc\.so\.6, a library of a libc$/,
    (each) => Object.assign(each.libraries[1], { storePath: object('glibc-2.31'), file: 'lib/libc.so.6' }),
  ),
  'an old libm by its file name': saying(
    'libc-family',
    /^it serves libssl\.so\.3 by lib\/libm-2\.31\.so, a library of a libc$/,
    (each) => (each.libraries[0].file = 'lib/libm-2.31.so'),
  ),
};

const owners: Owners = { user: 1000, program: 2000 };
const sound = { uid: 1000, mode: 0o644 };

function writtenBy(file: Partial<typeof sound>, directory: Partial<typeof sound>): FingerprintOrigin {
  const writers = writersOf({ ...sound, ...file }, { uid: 1000, mode: 0o755, ...directory }, owners);
  return { kind: 'sidecar', writers };
}

function from(origin: FingerprintOrigin, cause: string, line: RegExp, document = text): Situation {
  return { cause, line, judge: () => verdictOf(document, origin) };
}

const forgedByName = signedText(good, [signFingerprint(good, mallory).replace('mallory-1', 'vendor-1')]);
const ofAnother = signFingerprint(
  changed((each: Wrong) => (each.program.size += 1)),
  vendor,
);
export const open = writtenBy({ mode: 0o666 }, {});

export const byOrigin: Record<string, Situation> = {
  'another owner': from(
    writtenBy({ uid: 3000 }, {}),
    'file-owner',
    /^it belongs to uid 3000, which is neither you, root nor the owner of the program, and it is not signed$/,
  ),
  'an owner without a number here': from(
    writtenBy({ uid: 65534 }, {}),
    'file-owner',
    /^it belongs to uid 65534/,
  ),
  'a file that everybody may write to': from(
    open,
    'file-writable',
    /^everybody may write to it \(mode 666\)/,
  ),
  'a file that its group may write to': from(
    writtenBy({ mode: 0o664 }, {}),
    'file-writable',
    /^its group may write to it \(mode 664\)/,
  ),
  'a directory of somebody else': from(
    writtenBy({}, { uid: 3000 }),
    'directory-owner',
    /^its directory belongs to uid 3000/,
  ),
  'a directory that everybody may write to': from(
    writtenBy({}, { mode: 0o777 }),
    'directory-open',
    /^everybody may put files into its directory, and/,
  ),
  '/tmp': from(
    writtenBy({}, { uid: 0, mode: 0o1777 }),
    'directory-open',
    /^everybody may put files into its directory, which the sticky bit does not prevent, and/,
  ),
  'a directory that a group may write to': from(
    writtenBy({}, { mode: 0o2775 }),
    'directory-writable',
    /^a group may put files into its directory/,
  ),
  'a source without signatures': from(
    source,
    'unsigned',
    /^what comes from a source has to be signed by a trusted key, and it is not signed$/,
  ),
  'a source with a stranger’s signature': from(
    source,
    'untrusted',
    /^it is signed by mallory-1, and no trusted key has that name; what comes from a source has to be signed by a trusted key$/,
    signedText(good, [signFingerprint(good, mallory)]),
  ),
  'a stranger’s signature under a trusted name': from(
    source,
    'forged',
    /^the signature by vendor-1 is not of this document .*; what comes from a source has to be signed by a trusted key$/,
    forgedByName,
  ),
  'a signature of another document': from(
    open,
    'forged',
    /^the signature by vendor-1 is not of this document .*; everybody may write to it/,
    signedText(good, [ofAnother]),
  ),
  'a trusted name in capitals': from(
    source,
    'untrusted',
    /^it is signed by VENDOR-1, and/,
    signedText(good, [signFingerprint(good, vendor).replace('vendor-1', 'VENDOR-1')]),
  ),
  'names of keys without end': from(
    source,
    'untrusted',
    /^it is signed by k{253}, k{100,}/,
    signedText(
      good,
      [0, 1, 2].map((i) => signFingerprint(good, secretKey('k'.repeat(255 - i), 20 + i))),
    ),
  ),
  'many signatures, none of them trusted': from(
    source,
    'untrusted',
    /^it is signed by a, b, c and 1 more, and/,
    signedText(
      good,
      ['a', 'b', 'c', 'd'].map((name, i) => signFingerprint(good, secretKey(name, 10 + i))),
    ),
  ),
  'a signed document of another program': from(
    source,
    'other-program',
    /^it gives the program 99 bytes/,
    (() => {
      const other: Fingerprint = { ...good, program: { ...good.program, size: 99 } };
      return signedText(other, [signFingerprint(other, vendor)]);
    })(),
  ),
};
