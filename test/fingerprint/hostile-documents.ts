// Documents that somebody might leave beside a program → the line each is to be refused with.
import { canonicalText, MAXIMUM_SIZE } from '../../src/fingerprint/fingerprint.ts';
import { changed, good, object, STORE, type Wrong } from './documents.ts';

export interface HostileText {
  readonly text: string;
  readonly line: RegExp;
}

const text = canonicalText(good);

function changing(line: RegExp, change: (document: Wrong) => void): HostileText {
  return { text: canonicalText(changed(change)), line };
}

/** The good text with a piece replaced, which keeps every other byte. */
function replacing(line: RegExp, from: string, to: string): HostileText {
  if (!text.includes(from)) throw new Error(`the good document has no ${from}`);
  return { text: text.replace(from, () => to), line };
}

const notJson = /^it is not JSON$/;

const brokenText: Record<string, HostileText> = {
  'an empty file': { text: '', line: notJson },
  'a program instead of a document': { text: '\x7fELF\x02\x01\x01\0', line: notJson },
  'a page of a web server that wants a login': { text: '<!DOCTYPE html><html></html>', line: notJson },
  'a document cut in the middle': { text: text.slice(0, 200), line: notJson },
  'a byte order mark': { text: `\ufeff${text}`, line: notJson },
  'something after the document': { text: `${text}{}`, line: notJson },
  'a comment': { text: `/* trusted */${text}`, line: notJson },
  NaN: replacing(notJson, '"size":1234', '"size":NaN'),
  '-Infinity': replacing(notJson, '"size":1234', '"size":-Infinity'),
  'a raw NUL in a string': replacing(notJson, 'lib/libssl', 'lib/\0libssl'),
  'brackets without end': { text: '['.repeat(500_000), line: notJson },
  'more than 1 MiB': { text: `${' '.repeat(MAXIMUM_SIZE)}${text}`, line: /^it is larger than 1 MiB$/ },
  'a list': { text: `[${text.trimEnd()}]\n`, line: /^it is no JSON object$/ },
  'lists in lists in lists': {
    text: `${'['.repeat(200_000)}${']'.repeat(200_000)}`,
    line: /^it is no JSON object$/,
  },
  'depth in a field': replacing(
    /^program\.interpreter: no text: Array$/,
    '"/lib64/ld-linux-x86-64.so.2"',
    `${'['.repeat(200_000)}${']'.repeat(200_000)}`,
  ),
  'depth in a field nobody knows': replacing(
    /^extra: no field of a fingerprint$/,
    '"version":2}',
    `"extra":${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)},"version":2}`,
  ),
};

const brokenForm: Record<string, HostileText> = {
  'a key twice': replacing(/^the key "size" is there twice$/, '"size":1234', '"size":1,"size":1234'),
  'a key twice, once in escapes': replacing(
    /^the key "storePath" is there twice$/,
    '"storePath"',
    '"store\\u0050ath":"/etc","storePath"',
  ),
  'a key twice, of which one holds a key twice': replacing(
    /^the key "a" is there twice$/,
    '"program":{',
    '"program":{"a":1,"a":2},"program":{',
  ),
  'white space': {
    text: text.replace('{', '{ '),
    line: /^it is not in canonical form from character 2 on$/,
  },
  'other line ends': {
    text: `${text.trimEnd()}\r\n`,
    line: new RegExp(`^it is not in canonical form from character ${text.length} on$`),
  },
  'a letter in escapes': replacing(
    /^it is not in canonical form from character 2[0-9] on$/,
    'lib/libssl',
    '\\u006cib/libssl',
  ),
  'a number in another form': replacing(
    /^it is not in canonical form from character \d{3} on$/,
    '"size":1234',
    '"size":1.234e3',
  ),
};

const brokenShape: Record<string, HostileText> = {
  'a newer format': replacing(/^it has format 3, and this tool knows 2/, '"version":2', '"version":3'),
  'version 1e400': replacing(/^version: no number of a format: null$/, '"version":2', '"version":1e400'),
  'a version in words': replacing(/^version: no number of a format: "2"$/, '"version":2', '"version":"2"'),
  'no version but an inherited one': {
    text: '{"__proto__":{"version":2}}',
    line: /^version: it says none$/,
  },
  // As an entry `__proto__:` it would become the table's prototype, and no situation.
  'the key __proto__': replacing(
    /^__proto__: no field of a fingerprint$/,
    '{"libraries"',
    '{"__proto__":{"loader":1},"libraries"',
  ),
  '__proto__ of a library': replacing(
    /^libraries\.0\.__proto__: no field of a fingerprint$/,
    '[{"file"',
    '[{"__proto__":{"file":"x"},"file"',
  ),
  constructor: changing(/^constructor: no field/, (each) => (each.constructor = { prototype: {} })),
  'a field from another format': changing(
    /^program\.environment: no field/,
    (each) => (each.program.environment = { LD_PRELOAD: '/tmp/evil.so' }),
  ),
  'no loader': changing(/^loader: missing$/, (each) => delete each.loader),
  'a loader that is a text': changing(/^loader: no object: "x"$/, (each) => (each.loader = 'x')),
  'libraries that are an object': changing(/^libraries: no list: Object$/, (each) => (each.libraries = {})),
  'a library that is null': changing(/^libraries\.1: no object: null$/, (each) => (each.libraries[1] = null)),
  'five thousand and one libraries': changing(
    /^libraries: more than 5000$/,
    (each) =>
      (each.libraries = Array.from({ length: 5001 }, (_, i) => ({ ...good.libraries[0], soname: `l${i}` }))),
  ),
  'a library twice': changing(/^libraries: a soname is there twice$/, (each) =>
    each.libraries.push(each.libraries[0]),
  ),
  'a match nobody knows': changing(
    /^libraries\.0\.match: no way of matching: "trusted"$/,
    (each) => (each.libraries[0].match = 'trusted'),
  ),
  'a negative size': changing(/^program\.size: less than nothing: -1$/, (each) => (each.program.size = -1)),
  'half a byte': changing(
    /^program\.size: no whole number of bytes: 0\.5$/,
    (each) => (each.program.size = 0.5),
  ),
  'size 1e400': replacing(
    /^program\.size: no whole number of bytes: Infinity$/,
    '"size":1234',
    '"size":1e400',
  ),
  'a size that numbers cannot hold': replacing(
    /^program\.size: no whole number of bytes: 9007199254740992$/,
    '"size":1234',
    '"size":9007199254740993',
  ),
  'a size in words': changing(/^program\.size: no number: "1234"$/, (each) => (each.program.size = '1234')),
  'a hash in capitals': changing(
    /^program\.sha256: not 64 hexadecimal digits in lower case: "ABAB/,
    (each) => (each.program.sha256 = 'AB'.repeat(32)),
  ),
  'a hash with a digit of another script': changing(
    /^program\.sha256: not 64 hexadecimal digits in lower case: "\u0430b/,
    (each) => (each.program.sha256 = `\u0430${'b'.repeat(63)}`),
  ),
  'another tool': changing(
    /^tool\.name: written by another tool: "nix-run-f0reign"$/,
    (each) => (each.tool.name = 'nix-run-f0reign'),
  ),
  'NUL in the interpreter': changing(
    /^program\.interpreter: holds a NUL$/,
    (each) => (each.program.interpreter = '/lib64/ld-linux-x86-64.so.2\0x'),
  ),
  'an endless interpreter': changing(
    /^program\.interpreter: longer than 4096 characters$/,
    (each) => (each.program.interpreter = '/x'.repeat(4000)),
  ),
};

const notStorePath = (field: string, value: string): RegExp =>
  new RegExp(`^${field}: not a store path directly below /nix/store: "${value}`);
const notInside = (field: string, value: string): RegExp =>
  new RegExp(`^${field}: not a path that stays inside the store object: "${value}`);

const brokenPaths: Record<string, HostileText> = {
  'a loader outside the store': changing(
    notStorePath('loader.storePath', '/tmp/evil'),
    (each) => (each.loader.storePath = '/tmp/evil'),
  ),
  'a library outside the store': changing(
    notStorePath('libraries.0.storePath', '/home/mallory'),
    (each) => (each.libraries[0].storePath = '/home/mallory'),
  ),
  'the store itself': changing(
    notStorePath('loader.storePath', '/nix/store"'),
    (each) => (each.loader.storePath = STORE),
  ),
  'another store': changing(
    notStorePath('loader.storePath', '/gnu/store/'),
    (each) => (each.loader.storePath = object('glibc').replace(STORE, '/gnu/store')),
  ),
  'a store whose name begins alike': changing(
    notStorePath('loader.storePath', '/nix/store2/'),
    (each) => (each.loader.storePath = object('glibc').replace(STORE, '/nix/store2')),
  ),
  'a path that climbs out of the store': changing(
    notStorePath('loader.storePath', '/nix/store/\\.\\./'),
    (each) => (each.loader.storePath = '/nix/store/../../tmp/evil'),
  ),
  'a path deeper than a store object': changing(
    notStorePath('loader.storePath', object('glibc/lib')),
    (each) => (each.loader.storePath = object('glibc/lib')),
  ),
  'a name with letters Nix does not use': changing(
    notStorePath('loader.storePath', '/nix/store/eeee'),
    (each) => (each.loader.storePath = `${STORE}/${'e'.repeat(32)}-glibc`),
  ),
  'a name with a letter of another script': changing(
    notStorePath('loader.storePath', '/nix/store/.*-gl\u0456bc'),
    (each) => (each.loader.storePath = object('gl\u0456bc')),
  ),
  'NUL in a store path': changing(
    notStorePath('loader.storePath', `${object('glibc')}[?]x`),
    (each) => (each.loader.storePath = object('glibc\0x')),
  ),
  'two store paths in one': changing(
    notStorePath('loader.storePath', `${object('a')}:`),
    (each) => (each.loader.storePath = `${object('a')}:/tmp/evil`),
  ),
  'a file that climbs out': changing(
    notInside('loader.file', '\\.\\./\\.\\./'),
    (each) => (each.loader.file = '../../../tmp/evil.so'),
  ),
  'a file that climbs out at the end': changing(
    notInside('libraries.0.file', 'lib/\\.\\."'),
    (each) => (each.libraries[0].file = 'lib/..'),
  ),
  'an absolute file': changing(
    notInside('libraries.1.file', '/tmp/evil.so'),
    (each) => (each.libraries[1].file = '/tmp/evil.so'),
  ),
  'a file with an empty component': changing(
    notInside('libraries.1.file', 'lib//evil.so'),
    (each) => (each.libraries[1].file = 'lib//evil.so'),
  ),
  'NUL in a file': changing(
    notInside('libraries.1.file', 'lib/libz\\.so[?]'),
    (each) => (each.libraries[1].file = 'lib/libz.so\0.1'),
  ),
  'half a character in a file': changing(
    notInside('libraries.1.file', 'lib/\ud800'),
    (each) => (each.libraries[1].file = 'lib/\ud800'),
  ),
  'a file that reaches for the terminal': changing(
    notInside('libraries.1.file', '\\?\\[2J\\?\\?/\\.\\."'),
    (each) => (each.libraries[1].file = '\u001b[2J\u202e\u0085/..'),
  ),
  'an endless file': changing(
    /^loader\.file: longer than 4096 characters$/,
    (each) => (each.loader.file = 'x'.repeat(9999)),
  ),
  'a soname that climbs out of the farm': changing(
    /^libraries\.0\.soname: no file name of printable ASCII: "\.\.\/\.\.\/\.bashrc"$/,
    (each) => (each.libraries[0].soname = '../../.bashrc'),
  ),
  'a soname that is the farm’s parent': changing(
    /^libraries\.0\.soname: .*: "\.\."$/,
    (each) => (each.libraries[0].soname = '..'),
  ),
  'a soname that is a directory of the farm': changing(
    /^libraries\.0\.soname: .*: "glibc-hwcaps"$/,
    (each) => (each.libraries[0].soname = 'glibc-hwcaps'),
  ),
  'a soname that the loader expands': changing(
    /^libraries\.1\.soname: it has a token that the loader replaces: "lib\$LIB\.so"$/,
    (each) => (each.libraries[1].soname = 'lib$LIB.so'),
  ),
  'a soname that the loader expands in braces': changing(
    /^libraries\.1\.soname: it has a token that the loader replaces: "\$\{ORIGIN\}"$/,
    (each) => (each.libraries[1].soname = '${ORIGIN}'),
  ),
  'a soname that looks like another': changing(
    /^libraries\.1\.soname: .*: "l\u0456bz\.so\.1"$/,
    (each) => (each.libraries[1].soname = 'l\u0456bz.so.1'),
  ),
  'a soname of two lines': changing(
    /^libraries\.1\.soname: .*: "libz\?so"$/,
    (each) => (each.libraries[1].soname = 'libz\nso'),
  ),
  'a NAR hash of another kind': changing(
    /^libraries\.1\.narHash: no SHA-256 as Nix writes it: "md5:0000"$/,
    (each) => (each.libraries[1].narHash = 'md5:0000'),
  ),
  'a NAR hash that is too short': changing(
    /^libraries\.1\.narHash: .*: "sha256:000000000000000000000000000000000000000000000000000"$/,
    (each) => (each.libraries[1].narHash = `sha256:${'0'.repeat(51)}`),
  ),
};

const brokenSignatures: Record<string, HostileText> = {
  'a signature that is not in base 64': changing(
    /^signatures\.0: not the name of a key, .*: "vendor-1:!!!!"$/,
    (each) => (each.signatures = ['vendor-1:!!!!']),
  ),
  'a signature that is too short': changing(
    /^signatures\.0: .*: "vendor-1:AAAA"$/,
    (each) => (each.signatures = ['vendor-1:AAAA']),
  ),
  'a signature by a key without a name': changing(
    /^signatures\.0: .*: ":A{86}=="$/,
    (each) => (each.signatures = [`:${'A'.repeat(86)}==`]),
  ),
  'a signature by a name that looks like another': changing(
    /^signatures\.0: .*: "vend\u043er-1:/,
    (each) => (each.signatures = [`vend\u043er-1:${'A'.repeat(86)}==`]),
  ),
  'signatures that are a text': changing(
    /^signatures: no list: "vendor-1"$/,
    (each) => (each.signatures = 'vendor-1'),
  ),
  'a thousand signatures': changing(
    /^signatures: more than 64$/,
    (each) => (each.signatures = Array.from({ length: 1000 }, (_, i) => `k${1000 + i}:${'A'.repeat(86)}==`)),
  ),
  'the same signature twice': changing(
    /^signatures: not sorted, once each$/,
    (each) => (each.signatures = [`k:${'A'.repeat(86)}==`, `k:${'A'.repeat(86)}==`]),
  ),
  'signatures in a format that had none': changing(/^signatures: version 1 has none$/, (each) => {
    each.version = 1;
    each.signatures = [`k:${'A'.repeat(86)}==`];
  }),
};

/** Refused by what is in them, wherever they come from. */
export const hostileTexts: Readonly<Record<string, HostileText>> = {
  ...brokenText,
  ...brokenForm,
  ...brokenShape,
  ...brokenPaths,
  ...brokenSignatures,
};
