// A seed → directories of small libraries, links and wrong files, a program in them, and a library path.
import { linkSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Verneed } from '../../src/elf/elf-file.ts';
import { seededRandom } from '../elf/seeded-random.ts';
import { type LibraryDescription, libraryImage } from './library-image.ts';

export interface RandomTree {
  readonly program: string;
  /** Leads to `program`. */
  readonly link: string;
  readonly libraryPath: string;
  readonly preload: readonly string[];
  /** What was written, for a reader of a failure. */
  readonly report: readonly string[];
}

const folders = ['a', 'b', 'c', 'd'];
const subdirectories = [
  'glibc-hwcaps/x86-64-v4',
  'glibc-hwcaps/x86-64-v3',
  'glibc-hwcaps/x86-64-v2',
  'tls',
  'x86_64',
  'tls/x86_64',
  'haswell',
];
const names = ['lib0.so', 'lib1.so', 'lib2.so', 'lib3.so', 'lib4.so', 'lib5.so'];
const noDefaultLibraries = 0x800;

/** How much of a tree is wrong: `sound` ones load to the end most of the time. */
export type Mood = 'sound' | 'rough';

/** Writes the tree into the empty directory `root`. */
export function growTree(root: string, seed: number, mood: Mood): RandomTree {
  const random = seededRandom(seed * 2_654_435_761 + 12_345);
  for (let turn = 0; turn < 8; turn += 1) random(2);
  const chance = (percent: number) => random(100) < percent;
  const wrong = (percent: number) => chance(mood === 'rough' ? percent : percent / 8);
  const pick = <T>(from: readonly T[]): T => from[random(from.length)] as T;
  const some = <T>(from: readonly T[], most: number): T[] =>
    from.length === 0 ? [] : Array.from({ length: random(most + 1) }, () => pick(from));
  const report: string[] = [];
  const placed: string[] = [];

  const directory = (): string => {
    if (wrong(12)) return pick(['missing', '', 'a/lib0.so', 'loop', 'rel/a', '$UNKNOWN', '/']);
    if (chance(10)) return pick(['$LIB', '$PLATFORM', 'x/$PLATFORM', 'linked', 'a/', 'a//']);
    return pick(folders);
  };
  const runPathElement = (): string => {
    const where = directory();
    if (where === '' || where === '/' || where.startsWith('rel/')) return where.replace('rel/', '');
    return pick([
      `${root}/${where}`,
      `$ORIGIN/../${where}`,
      `\${ORIGIN}/../${where}`,
      '$ORIGIN',
      `${root}/${where}`,
    ]);
  };
  const runPath = (): string =>
    Array.from({ length: 1 + random(3) }, runPathElement).join(wrong(5) ? ';' : ':');
  const libraryPath = (): string =>
    Array.from({ length: random(4) }, runPathElement).join(pick([':', ':', ';']));

  const neededName = (): string => {
    if (chance(8))
      return pick(['$ORIGIN/lib1.so', `${root}/b/lib2.so`, '$ORIGIN/../c/lib3.so', `${root}/c/lib0.so`]);
    if (wrong(6))
      return pick([
        'ld-linux-x86-64.so.2',
        'libc.so.6',
        'own-interpreter',
        'a/lib0.so',
        'lib9.so',
        '$PLATFORM/x',
      ]);
    return pick(names);
  };
  const versionsOf = (needed: readonly string[]): Verneed[] =>
    [...new Set(needed)]
      .filter(() => chance(50))
      .map((file) => ({
        file: wrong(6) ? pick(names) : file,
        versions: [
          { name: pick(['V1', 'V1', 'V2', wrong(30) ? 'V9' : 'V1', 'GLIBC_ABI_DT_RELR']), weak: chance(20) },
          ...(chance(30) ? [{ name: 'V2', weak: chance(50) }] : []),
        ],
      }));

  const library = (name: string): LibraryDescription => {
    const later = names.slice(names.indexOf(name) + 1);
    const needed = chance(15) ? [] : some([...later, neededName()], 3);
    return {
      ...(chance(80) && { soname: chance(85) ? name : pick([...names, 'libother.so']) }),
      ...objectParts(needed, later),
      ...(chance(70) && { verdef: chance(80) ? ['V1', 'V2', 'GLIBC_ABI_DT_RELR'] : ['V2'] }),
    };
  };
  const objectParts = (needed: readonly string[], filtered: readonly string[]): LibraryDescription => ({
    needed,
    ...(chance(30) && { rpath: runPath() }),
    ...(chance(30) && { runpath: chance(95) ? runPath() : '' }),
    ...(chance(50) && { verneed: versionsOf(needed) }),
    ...(chance(6) && { filter: some(filtered, 2) }),
    ...(chance(8) && { auxiliary: some([...filtered, 'libnone.so', '$ORIGIN/lib5.so'], 2) }),
    ...(chance(8) && { flags1: noDefaultLibraries }),
    ...(wrong(4) && { relr: 'with relative relocations' as const }),
  });

  const place = (path: string, what: string, write: () => void): void => {
    mkdirSync(dirname(path), { recursive: true });
    write();
    report.push(`${path.slice(root.length + 1)}: ${what}`);
  };
  const placeFile = (path: string, name: string): void => {
    if (wrong(35)) {
      placeWrong(path);
      return;
    }
    if (chance(14) && placed.length > 0) {
      const target = pick(placed);
      const [how, make] = chance(50) ? (['link', symlinkSync] as const) : (['hard link', linkSync] as const);
      place(path, `${how} to ${target}`, () => make(target, path));
      return;
    }
    const spec = library(name);
    placed.push(path);
    place(path, JSON.stringify(spec), () => writeFileSync(path, libraryImage(spec)));
  };
  const placeWrong = (path: string): void => {
    const spec = library(names[0] ?? '');
    const kinds: [string, () => void][] = [
      ['class 32', () => writeFileSync(path, libraryImage({ ...spec, class: 32 }))],
      ['class 32 again', () => writeFileSync(path, libraryImage({ ...spec, class: 32 }))],
      ['machine 183', () => writeFileSync(path, libraryImage({ ...spec, machine: 183 }))],
      ['dangling', () => symlinkSync('nowhere', path)],
      ['loop', () => symlinkSync(path, path)],
      ['below a file', () => symlinkSync(`${path}.file/x`, path)],
      ['text', () => writeFileSync(path, `${'/* linker script */ '.repeat(8)}\n`)],
      ['empty', () => writeFileSync(path, '')],
      ['directory', () => mkdirSync(path)],
      ['ET_EXEC', () => writeFileSync(path, libraryImage({ ...spec, type: 2 }))],
      ['ET_REL', () => writeFileSync(path, libraryImage({ ...spec, type: 1 }))],
      ['OS ABI 9', () => writeFileSync(path, libraryImage({ ...spec, osAbi: 9 }))],
      ['long link', () => symlinkSync('x'.repeat(300), path)],
    ];
    const [what, write] = kinds[random(kinds.length)] as [string, () => void];
    place(path, what, () => {
      writeFileSync(`${path}.file`, '');
      write();
    });
  };

  for (const folder of folders) {
    mkdirSync(join(root, folder));
    for (const name of names) {
      if (chance(mood === 'sound' ? 70 : 45)) placeFile(join(root, folder, name), name);
      if (chance(12)) placeFile(join(root, folder, pick(subdirectories), name), name);
    }
  }
  symlinkSync('b', join(root, 'linked'));
  symlinkSync('loop', join(root, 'loop'));
  const needed = Array.from({ length: 1 + random(4) }, neededName);
  const own: LibraryDescription = {
    interpreter: chance(80) ? '/lib64/ld-linux-x86-64.so.2' : 'own-interpreter',
    ...objectParts(needed, names),
  };
  const program = join(root, 'd', 'program');
  place(program, JSON.stringify(own), () => writeFileSync(program, libraryImage(own)));
  const link = join(root, 'program-link');
  symlinkSync('d/program', link);
  const typedName = chance(75)
    ? [root, 'a', 'b', 'c']
        .slice(1)
        .map((folder) => `${root}/${folder}`)
        .filter(() => chance(60))
        .join(':')
    : libraryPath();
  return {
    program,
    link,
    libraryPath: typedName,
    preload: chance(12) ? some([...names, `${root}/a/lib1.so`, 'libnone.so'], 2) : [],
    report,
  };
}
