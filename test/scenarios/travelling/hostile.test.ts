// Documents that only the store and the loader can judge: each refused in its own line, and the program starts all the same.
import { test } from 'node:test';
import stringify from 'fast-json-stable-stringify';
import type { Fingerprint, FingerprintLibrary } from '../../../src/fingerprint/fingerprint.ts';
import { providerOf } from '../../rig/binary-cache.ts';
import { ensureRig } from '../../rig/rig.ts';
import { assertRefused } from '../expect-failure.ts';
import {
  assertRan,
  exchangeForTests,
  forget,
  openMachine,
  putFile,
  SIDECAR,
  withEnv,
  words,
} from './machines.ts';
import { publishJq } from './publish-jq.ts';

const rig = await ensureRig('full');
const exchange = exchangeForTests();
const machine = await openMachine(rig, exchange);
const { sidecar } = await publishJq(machine, exchange);
const line = [machine.program, ...words];
const good = JSON.parse(sidecar) as Fingerprint;

type Change = (library: FingerprintLibrary) => object;

/** The document with another libjq. */
function withLibrary(change: Change): object {
  const libraries = good.libraries.map((each) =>
    each.soname === 'libjq.so.1' ? { ...each, ...change(each) } : each,
  );
  return { ...good, libraries };
}

/** The first file of a store object of the rig that has this soname, without its hash. */
function fileOf(suite: string, soname: string, architecture = 'amd64') {
  const object = rig.storeObjects.find(
    (each) => each.suite === suite && each.architecture === architecture && each.provides.includes(soname),
  );
  if (object === undefined) throw new Error(`the rig has no ${soname} of ${suite}`);
  return { storePath: object.path, file: `lib/${soname}`, narHash: undefined };
}

const oldLibc = providerOf(rig, 'bullseye', 'libc.so.6').path;
const zlib = fileOf('bookworm', 'libz.so.1');

const cases: readonly (readonly [string, unknown, RegExp])[] = [
  [
    'a hash that is not that of the object',
    withLibrary(() => ({ narHash: `sha256:${'0'.repeat(64)}` })),
    /has other content here than where it was made/,
  ],
  [
    'a file that is not in the object',
    withLibrary(() => ({ file: 'lib/libjq.so.9' })),
    /there is no file \/nix\/store\/\S+\/lib\/libjq\.so\.9/,
  ],
  ['a directory', withLibrary(() => ({ file: 'lib' })), /there is no file \/nix\/store\/\S+\/lib$/],
  [
    'a store path that does not exist',
    withLibrary(() => ({ storePath: `/nix/store/${'0'.repeat(32)}-jq`, narHash: undefined })),
    /the store has no \/nix\/store\/0{32}-jq/,
  ],
  [
    'a path outside the store',
    withLibrary(() => ({ storePath: '/usr/lib' })),
    /not a store path directly below \/nix\/store: "\/usr\/lib"/,
  ],
  [
    'a way out of the object',
    withLibrary(() => ({ file: '../../../etc/passwd' })),
    /not a path that stays inside the store object/,
  ],
  [
    'a library of another machine',
    withLibrary(() => ({ ...fileOf('bookworm', 'libz.so.1', 'i386'), match: 'pinned' })),
    /libjq\.so\.1: wrong ELF class: ELFCLASS32/,
  ],
  [
    'another library under the name',
    withLibrary(() => zlib),
    /libz\.so\.1 is not called libjq\.so\.1, as an exact match is/,
  ],
  [
    'another library as a closest match',
    withLibrary(() => ({ ...zlib, match: 'closest' })),
    /needs the symbol jq_\w+, which nobody defines/,
  ],
  [
    'another library as a pin',
    withLibrary(() => ({ ...zlib, match: 'pinned' })),
    /jq needs the symbol jq_\w+, which nobody defines/,
  ],
  [
    'the loader of an older libc',
    { ...good, loader: { storePath: oldLibc, file: 'lib/ld-linux-x86-64.so.2' } },
    /the loader refuses the set: .*version `GLIBC_2\.34' not found/,
  ],
  [
    'a library of a libc',
    {
      ...good,
      libraries: [
        ...good.libraries,
        { ...fileOf('bookworm', 'libm.so.6'), soname: 'libm.so.6', match: 'exact' },
      ].sort((a, b) => (a.soname < b.soname ? -1 : 1)),
    },
    /it lists libm\.so\.6, which always comes from the loader's own store object/,
  ],
  ['a set that lacks a library', { ...good, libraries: good.libraries.slice(1) }, /libjq\.so\.1/],
  [
    'a program in place of the loader',
    { ...good, loader: { ...good.loader, file: 'bin/ldd', narHash: undefined } },
    /no loader is called that/,
  ],
  ['no document', '', /it is not JSON/],
  ['cut off', sidecar.slice(0, 400), /it is not JSON/],
  ['a newer one', { ...good, version: 99 }, /it has format 99, and this tool knows 2: take a newer/],
  [
    'of another program',
    { ...good, program: { ...good.program, sha256: 'f'.repeat(64) } },
    /it is for another program/,
  ],
];

for (const [name, document, cause] of cases) {
  test(name, async () => {
    forget(machine);
    putFile(machine, SIDECAR, typeof document === 'string' ? document : `${stringify(document)}\n`);
    const said = new RegExp(
      `^nix-run-foreign: \\S+/jq: the fingerprint of \\S+ is not used: .*(?:${cause.source})`,
    );
    const refused = await machine.start(line, withEnv({}, { NIX_RUN_FOREIGN_STRICT: '1' }));
    assertRefused(refused, { status: 126, cause: said });
    assertRan(await machine.start(line), [new RegExp(said.source.replace(/\$\)$/, ')'))]);
  });
}
