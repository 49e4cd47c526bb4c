// A number of entries → a nix-index database of that size, shaped like one of nixpkgs, written at once.
import { closeSync, openSync, writeSync } from 'node:fs';
import { seededRandom } from '../elf/seeded-random.ts';
import {
  hashOf,
  header,
  type IndexedPackage,
  packageBytes,
  seekTable,
  type Tree,
  zstdFrame,
} from './file-index.ts';

/** As in the file lists of a whole distribution: 110 entries for each package, 8 of 1000 shared objects. */
const ENTRIES_OF_PACKAGE = 110;

const WORDS =
  'core util net media audio video image font text xml json http ssl crypt hash tree list map set graph math stat plot mesh draw paint scene sound wave codec stream packet socket server client proxy cache index query table row cell form view model event queue task timer lock log trace debug test bench doc guide locale theme icon cursor panel menu dialog'.split(
    ' ',
  );
const LANGUAGES =
  'af ar be bg ca cs da de el en_GB eo es et eu fa fi fr gl he hr hu id it ja ko lt lv nb nl pl pt ro ru'.split(
    ' ',
  );

type Random = (below: number) => number;
const pick = <T>(from: readonly T[], random: Random): T => from[random(from.length)] as T;

function directory(entries: Record<string, Tree>): Tree {
  return { kind: 'directory', entries };
}

function files(count: number, random: Random, ending: string): Record<string, Tree> {
  const named = Array.from({ length: count }, () => `${pick(WORDS, random)}-${pick(WORDS, random)}${ending}`);
  return Object.fromEntries(named.map((name) => [name, { kind: 'file', size: random(100_000) }]));
}

function libraries(name: string, random: Random): Record<string, Tree> {
  const [major, minor] = [random(9), random(20)];
  const real = `lib${name}.so.${major}.${minor}.0`;
  return {
    [real]: { kind: 'file', size: 10_000 + random(1_000_000), executable: true },
    [`lib${name}.so.${major}`]: { kind: 'link', target: real },
    [`lib${name}.so`]: { kind: 'link', target: real },
  };
}

function largeTree(name: string, random: Random): Tree {
  const half = Math.floor(ENTRIES_OF_PACKAGE / 3);
  const locales = LANGUAGES.slice(random(20)).map((each): [string, Tree] => [
    each,
    directory({ LC_MESSAGES: directory({ [`${name}.mo`]: { kind: 'file', size: random(50_000) } }) }),
  ]);
  return directory({
    bin: directory(files(2, random, '')),
    ...(random(4) === 0 ? { lib: directory(libraries(name, random)) } : {}),
    include: directory({ [name]: directory(files(half, random, '.h')) }),
    share: directory({
      doc: directory({ [name]: directory(files(half, random, '.html')) }),
      locale: directory(Object.fromEntries(locales)),
    }),
  });
}

export function largePackage(number: number): IndexedPackage {
  const random = seededRandom(number * 2_654_435_761);
  for (let i = 0; i < 4; i += 1) random(2);
  const name = `${pick(WORDS, random)}${pick(WORDS, random)}${number}`;
  return {
    hash: hashOf(number * 7919 + 13),
    name: `${name}-${random(9)}.${random(30)}`,
    attr: name,
    tree: largeTree(name, random),
  };
}

function countOf(tree: Tree): number {
  return tree.kind === 'directory'
    ? Object.values(tree.entries).reduce((sum, each) => sum + countOf(each), 1)
    : 1;
}

export interface LargeIndex {
  readonly entries: number;
  readonly packages: number;
  /** Names of some libraries in it. */
  readonly sonames: readonly string[];
}

/** Packages until there are `entries`, each once. */
function* packagesUntil(entries: number, seen: { entries: number; packages: number; sonames: string[] }) {
  while (seen.entries < entries) {
    seen.packages += 1;
    const each = largePackage(seen.packages);
    seen.entries += countOf(each.tree);
    const lib = each.tree.kind === 'directory' ? each.tree.entries['lib'] : undefined;
    const soname =
      lib?.kind === 'directory'
        ? Object.keys(lib.entries).find((name) => /\.so\.\d+$/.test(name))
        : undefined;
    if (soname !== undefined && seen.packages % 97 === 0) seen.sonames.push(soname);
    yield packageBytes(each);
  }
}

/** Writes the database; `level` is that of zstd, and `frames` how many version 2 gets. */
export function writeLargeIndex(
  file: string,
  entries: number,
  { version = 1, level = 3, frames = 4 }: { version?: 1 | 2; level?: number; frames?: number } = {},
): LargeIndex {
  const seen = { entries: 0, packages: 0, sonames: [] as string[] };
  const count = version === 1 ? 1 : frames;
  const data: Uint8Array[] = [];
  for (let i = 1; i <= count; i += 1) {
    data.push(zstdFrame(Buffer.concat([...packagesUntil((entries / count) * i, seen)]), level));
  }
  const fd = openSync(file, 'w');
  for (const piece of [header(version), ...data, ...(version === 2 ? [seekTable(data)] : [])])
    writeSync(fd, piece);
  closeSync(fd);
  return seen;
}
