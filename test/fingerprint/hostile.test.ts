// Everything somebody might put beside a program, above it, or on a server: each is refused with a line of its own.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  truncateSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { judgeDocument, type Origin } from '../../src/fingerprint/belief.ts';
import { findSidecar } from '../../src/fingerprint/find-sidecar.ts';
import { canonicalText, type Fingerprint, signedText } from '../../src/fingerprint/fingerprint.ts';
import { type Owners, writersOf } from '../../src/fingerprint/ownership.ts';
import { signFingerprint } from '../../src/fingerprint/sign.ts';
import { checkInStore, type StoreFacts } from '../../src/fingerprint/store-check.ts';
import { treeText } from '../../src/fingerprint/tree-file.ts';
import { seededRandom } from '../elf/seeded-random.ts';
import { changed, good, object, put, STORE, secretKey, type Wrong } from './documents.ts';
import { hostileTexts } from './hostile-documents.ts';

interface Verdict {
  readonly cause: string;
  readonly why: string;
}

interface Situation {
  readonly cause: string;
  readonly line: RegExp;
  readonly judge: () => Promise<Verdict>;
}

const BELIEVED: Verdict = { cause: 'believed', why: '' };

const scratch = realpathSync(mkdtempSync(path.join(tmpdir(), 'hostile-')));
after(() => rmSync(scratch, { recursive: true, force: true }));
chmodSync(scratch, 0o755);

const vendor = secretKey('vendor-1', 1);
const mallory = secretKey('mallory-1', 2);
const trust = { storeDir: STORE, keys: [vendor.public] };
const text = canonicalText(good);

const trusted: Origin = { kind: 'sidecar', writers: { kind: 'trusted' } };
const source: Origin = { kind: 'source' };

async function judged(document: string, origin: Origin = trusted): Promise<Verdict> {
  const belief = await judgeDocument(document, origin, good.program, trust);
  return belief.kind === 'refused' ? belief : BELIEVED;
}

/** A document that is well-formed and says something wrong. */
function saying(cause: string, line: RegExp, change: (document: Wrong) => void, origin = trusted): Situation {
  return { cause, line, judge: () => judged(canonicalText(changed(change)), origin) };
}

const byProgram: Record<string, Situation> = {
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

function writtenBy(file: Partial<typeof sound>, directory: Partial<typeof sound>): Origin {
  const writers = writersOf({ ...sound, ...file }, { uid: 1000, mode: 0o755, ...directory }, owners);
  return { kind: 'sidecar', writers };
}

function from(origin: Origin, cause: string, line: RegExp, document = text): Situation {
  return { cause, line, judge: () => judged(document, origin) };
}

const forgedByName = signedText(good, [signFingerprint(good, mallory).replace('mallory-1', 'vendor-1')]);
const ofAnother = signFingerprint(
  changed((each: Wrong) => (each.program.size += 1)),
  vendor,
);
const open = writtenBy({ mode: 0o666 }, {});

const byOrigin: Record<string, Situation> = {
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

const agreeable: StoreFacts = {
  validPaths: async (paths) => new Map(paths.map((each) => [each, `sha256:${'0'.repeat(64)}`])),
  realFileOf: (file) => file,
  whyNotLoaded: async () => undefined,
};

/** A document that is believed so far, and a store in which it does not hold. */
function inStore(cause: string, line: RegExp, facts: Partial<StoreFacts>): Situation {
  const judge = async (): Promise<Verdict> => {
    const check = await checkInStore(good, STORE, { ...agreeable, ...facts });
    return check.kind === 'refused' ? check : BELIEVED;
  };
  return { cause, line, judge };
}

const byStore: Record<string, Situation> = {
  'a path that no cache has': inStore(
    'missing',
    /^the store has no \/nix\/store\/.*-glibc-2\.40 and 2 more$/,
    {
      validPaths: async () => new Map(),
    },
  ),
  'one path that is gone': inStore('missing', /^the store has no \/nix\/store\/.*-zlib-1\.3$/, {
    validPaths: async (paths) =>
      new Map(paths.filter((each) => !each.includes('zlib')).map((each) => [each, undefined])),
  }),
  'a valid path with another NAR hash': inStore(
    'nar-hash',
    /-zlib-1\.3 has other content here than where it was made$/,
    {
      validPaths: async (paths) => new Map(paths.map((each) => [each, `sha256:${'1'.repeat(64)}`])),
    },
  ),
  'a NAR hash that nobody can compare': inStore('nar-hash', /^Nix has no hash of .*-zlib-1\.3 to compare$/, {
    validPaths: async (paths) => new Map(paths.map((each) => [each, undefined])),
  }),
  'a file that the valid path has not': inStore(
    'no-such-file',
    /^there is no file .*-openssl-3\.0\/lib\/libssl\.so\.3$/,
    {
      realFileOf: (file) => (file.includes('libssl') ? undefined : file),
    },
  ),
  'a store object with a link to /tmp': inStore(
    'leaves-store',
    /libz\.so\.1\.3 leads out of the store, to \/tmp\/evil\.so$/,
    {
      realFileOf: (file) => (file.includes('libz') ? '/tmp/evil.so' : file),
    },
  ),
  'a library of another machine': inStore('loader', /^the loader refuses the set: libz\.so\.1: .*AArch64/, {
    whyNotLoaded: async () => 'libz.so.1: it is for AArch64',
  }),
  'a set with two libcs': inStore('loader', /^the loader refuses the set: .*GLIBC_2\.41/, {
    whyNotLoaded: async () => "version `GLIBC_2.41' not found (required by libssl.so.3)",
  }),
  'a set without one of its libraries': inStore('loader', /^the loader refuses the set: .*libcrypto/, {
    whyNotLoaded: async () => 'libcrypto.so.3: cannot open shared object file',
  }),
};

const me = process.geteuid?.() ?? 0;

/** Whoever the tests run as, a file that belongs to somebody else: root gives it away, others are somebody else. */
function strangersFile(file: string): Owners {
  if (me === 0) chownSync(file, 4242, 4242);
  return me === 0 ? { user: 0, program: 0 } : { user: me + 1, program: me + 1 };
}

function isOwners(made: unknown): made is Owners {
  return typeof made === 'object' && made !== null && 'user' in made;
}

/** A real file, in a directory of its own; `make` may say who the user and the owner of the program are. */
function onDisk(
  cause: string,
  line: RegExp,
  make: (file: string) => unknown,
  kind: 'sidecar' | 'tree' = 'sidecar',
): Situation {
  const judge = async (): Promise<Verdict> => {
    const file = path.join(mkdtempSync(path.join(scratch, 'd-')), 'p.nix-fingerprint.json');
    chmodSync(path.dirname(file), 0o755);
    const made = make(file);
    const who = isOwners(made) ? made : { user: me, program: me };
    const found = await findSidecar([{ kind, file }], good.program, who, trust);
    return found.refused[0] ?? (found.believed === undefined ? { cause: 'absent', why: '' } : BELIEVED);
  };
  return { cause, line, judge };
}

const other = canonicalText(changed((each: Wrong) => (each.program.sha256 = 'cd'.repeat(32))));
const tree = treeText([
  { sha256: good.program.sha256, text },
  { sha256: 'cd'.repeat(32), text: other },
]);

const byFile: Record<string, Situation> = {
  'a symbolic link': onDisk('symlink', /^it is a symbolic link$/, (file) =>
    symlinkSync(put(`${file}.real`, text), file),
  ),
  'a symbolic link to /etc/shadow': onDisk('symlink', /^it is a symbolic link$/, (file) =>
    symlinkSync('/etc/shadow', file),
  ),
  'a directory': onDisk('no-file', /^it is no regular file$/, (file) => mkdirSync(file)),
  'a FIFO that nobody writes to': onDisk('no-file', /^it is no regular file$/, (file) =>
    execFileSync('mkfifo', [file], { encoding: 'utf8' }),
  ),
  'a file of a terabyte': onDisk('size', /^it is larger than 1 MiB$/, (file) =>
    truncateSync(put(file, text), 2 ** 40),
  ),
  'a tree of a terabyte': onDisk(
    'size',
    /^it is larger than 16 MiB$/,
    (file) => truncateSync(put(file, tree), 2 ** 40),
    'tree',
  ),
  'bytes that are no UTF-8': onDisk('encoding', /^it is not UTF-8$/, (file) =>
    put(file, Buffer.from(text.replace('exact', 'ex\u00e4ct'), 'latin1')),
  ),
  'a real file of somebody else': onDisk(
    'file-owner',
    /^it belongs to uid \d+, which is neither you/,
    (file) => strangersFile(put(file, text)),
  ),
  'a real directory that everybody may write to': onDisk(
    'directory-open',
    /^everybody may put files into its directory, and/,
    (file) => {
      put(file, text);
      chmodSync(path.dirname(file), 0o777);
      return undefined;
    },
  ),
  'a hard link to a file of somebody else': onDisk(
    'file-owner',
    /^it belongs to uid \d+, which is neither you/,
    (file) => {
      const who = strangersFile(put(`${file}.elsewhere`, text));
      linkSync(`${file}.elsewhere`, file);
      return who;
    },
  ),
  'a tree without end': onDisk(
    'tree',
    /^it is no tree of fingerprints as nix-foreign writes it$/,
    (file) => put(file, tree.slice(0, -5)),
    'tree',
  ),
  'a tree of a newer format': onDisk(
    'tree',
    /^it is a tree of format 2, and this tool knows 1/,
    (file) => put(file, tree.replace('],"version":1}', '],"version":2}')),
    'tree',
  ),
  'a tree with the program twice': onDisk(
    'tree',
    /^the program is there twice$/,
    (file) =>
      put(
        file,
        tree.replace('[\n', () => `[\n${text.trimEnd()},\n`),
      ),
    'tree',
  ),
  'a tree with a comma missing': onDisk(
    'tree',
    /^a comma between two programs is missing or too many$/,
    (file) => put(file, tree.replace('},\n', '}\n')),
    'tree',
  ),
  'a tree whose entry climbs out': onDisk(
    'document',
    /^loader\.file: not a path that stays inside the store object: "\.\.\/tree"$/,
    (file) => put(file, tree.replace('lib/ld-linux-x86-64.so.2"', '../tree"')),
    'tree',
  ),
  'a tree entry with its hash in a second place': onDisk(
    'document',
    /^sha256: no field of a fingerprint$/,
    (file) =>
      put(
        file,
        treeText([
          { sha256: good.program.sha256, text: `{"sha256":"${good.program.sha256}",${other.slice(1)}` },
        ]),
      ),
    'tree',
  ),
};

const byText = Object.fromEntries(
  Object.entries(hostileTexts).map(([what, { text: document, line }]): [string, Situation] => [
    what,
    { cause: 'document', line, judge: () => judged(document) },
  ]),
);

const situations = Object.entries({ ...byText, ...byProgram, ...byOrigin, ...byStore, ...byFile });
const lines = new Map<string, string>();

test('what the hostile ones are made from is believed', async () => {
  assert.equal((await judged(text)).cause, 'believed');
  const signed = signedText(good, [signFingerprint(good, vendor)]);
  for (const origin of [trusted, source, open])
    assert.equal((await judged(signed, origin)).cause, 'believed');
  assert.equal((await inStore('', /x/, {}).judge()).cause, 'believed');
  assert.equal((await onDisk('', /x/, (file) => put(file, text)).judge()).cause, 'believed');
  assert.equal((await onDisk('', /x/, (file) => put(file, tree), 'tree').judge()).cause, 'believed');
});

for (const [what, situation] of situations) {
  test(`refused: ${what}`, async () => {
    const { cause, why } = await situation.judge();
    lines.set(what, `${cause}: ${why}`);
    assert.equal(cause, situation.cause, why);
    assert.match(why, situation.line);
    assert.ok(why.length <= 400, `${why.length} characters`);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must not be there
    assert.doesNotMatch(why, /[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/);
  });
}

test('different wrongs have different lines, and there are enough of them', () => {
  assert.ok(situations.length >= 100, `${situations.length}`);
  const expected = new Map<string, string>();
  for (const [what, { line }] of situations) {
    const said = lines.get(what) ?? '';
    const before = expected.get(said);
    assert.ok(
      before === undefined || before === line.source,
      `${what} is refused as something else is: ${said}`,
    );
    expected.set(said, line.source);
  }
  assert.ok(expected.size >= 80, `${expected.size} lines`);
});

test('of a signed document from a source, no other text is believed', async () => {
  const signed = signedText(good, [signFingerprint(good, vendor)]);
  assert.equal((await judged(signed, source)).cause, 'believed');
  const pick = seededRandom(1);
  for (let round = 0; round < 2000; round += 1) {
    const at = pick(signed.length);
    const end = at + pick(4);
    const piece = signed.slice(pick(signed.length)).slice(0, pick(4));
    const edited = signed.slice(0, at) + piece + signed.slice(end);
    if (edited !== signed) assert.notEqual((await judged(edited, source)).cause, 'believed', edited);
  }
});

test('nothing hostile made an ordinary object different', () => {
  assert.deepEqual(Object.keys(Object.prototype), []);
  assert.equal(({} as Record<string, unknown>)['version'], undefined);
});
