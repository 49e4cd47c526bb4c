// One rule of ld.so → a small tree that shows it, and the simulation with that rule taken away, which must differ.
import { linkSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { ElfFile } from '../../src/elf/elf-file.ts';
import type {
  LoaderFiles,
  LoaderSettings,
  Probe,
  SimulationRequest,
} from '../../src/ldso/simulation/request.ts';
import { type LibraryDescription, libraryImage } from './library-image.ts';

export interface Scene {
  readonly rule: string;
  /** Path below the root → a library, or `-> PATH` for a link, `= PATH` for a hard link. */
  readonly files: Readonly<Record<string, LibraryDescription | string>>;
  readonly program: LibraryDescription;
  /** Directories below the root. */
  readonly libraryPath?: readonly string[];
  /** The request as it would be if the loader had no such rule. */
  readonly without: (request: SimulationRequest) => SimulationRequest;
}

type Write = (root: string, settings: LoaderSettings) => Scene;

const named = (soname: string, more: LibraryDescription = {}): LibraryDescription => ({ soname, ...more });
const needs = (...needed: string[]): LibraryDescription => ({ needed });

/** What every file says, changed. */
export function seenAs(change: (elf: ElfFile) => Partial<ElfFile>): Scene['without'] {
  return (request) => {
    const probe = (path: string): Probe => {
      const met = request.files.probe(path);
      return met.kind === 'elf' ? { ...met, elf: { ...met.elf, ...change(met.elf) } } : met;
    };
    const { elf } = request.program;
    const files: LoaderFiles = { ...request.files, probe };
    return { ...request, files, program: { ...request.program, elf: { ...elf, ...change(elf) } } };
  };
}

export function withSettings(settings: Partial<LoaderSettings>): Scene['without'] {
  return (request) => ({
    ...request,
    loader: { ...request.loader, settings: { ...request.loader.settings, ...settings } },
  });
}

/** A loader that knows no run paths: no judge may take it for a real one. */
export const withoutRunPaths = seenAs(() => ({ rpath: undefined, runpath: undefined }));

/** Every path is a file of its own. */
export const withoutIdentities: Scene['without'] = (request) => {
  const probe = (path: string): Probe => {
    const met = request.files.probe(path);
    return 'identity' in met ? { ...met, identity: path } : met;
  };
  return { ...request, files: { ...request.files, probe } };
};

const versioned = (name: string, weak: boolean): LibraryDescription => ({
  needed: ['lib0.so'],
  verneed: [{ file: 'lib0.so', versions: [{ name, weak }] }],
});

/** Every rule that the search, the order and the check of versions follow. */
export const rules: readonly Write[] = [
  () => ({
    rule: 'breadth first',
    files: { 'a/lib0.so': needs('lib2.so'), 'a/lib1.so': {}, 'a/lib2.so': {} },
    program: needs('lib0.so', 'lib1.so'),
    libraryPath: ['a'],
    without: seenAs(({ needed }) => ({ needed: needed.toReversed() })),
  }),
  (root) => ({
    rule: 'rpath, of those above too',
    files: { 'a/lib0.so': needs('lib1.so'), 'b/lib1.so': {} },
    program: { ...needs('lib0.so'), rpath: `${root}/a:${root}/b` },
    without: seenAs(({ rpath }) => ({ rpath: undefined, runpath: rpath })),
  }),
  (root) => ({
    rule: 'runpath, its owner only',
    files: { 'a/lib0.so': needs('lib1.so'), 'b/lib1.so': {} },
    program: { ...needs('lib0.so'), runpath: `${root}/a:${root}/b` },
    without: seenAs(({ runpath }) => ({ runpath: undefined, rpath: runpath })),
  }),
  (root) => ({
    rule: 'library path before runpath',
    files: { 'a/lib0.so': {}, 'b/lib0.so': {} },
    program: { ...needs('lib0.so'), runpath: `${root}/a` },
    libraryPath: ['b'],
    without: (request) => ({ ...request, libraryPath: '' }),
  }),
  (root) => ({
    rule: 'rpath before library path',
    files: { 'a/lib0.so': {}, 'b/lib0.so': {} },
    program: { ...needs('lib0.so'), rpath: `${root}/a` },
    libraryPath: ['b'],
    without: seenAs(() => ({ rpath: undefined })),
  }),
  () => ({
    rule: 'default directories',
    files: {},
    program: needs('libc.so.6'),
    without: withSettings({ defaultDirectories: [] }),
  }),
  () => ({
    rule: 'NODEFLIB',
    files: {},
    program: { ...needs('libc.so.6'), flags1: 0x800 },
    without: seenAs(() => ({ flags1: 0 })),
  }),
  () => ({
    rule: '$ORIGIN',
    files: { 'b/lib0.so': {} },
    program: { ...needs('lib0.so'), runpath: '$ORIGIN/../b' },
    without: seenAs(({ runpath }) => ({ runpath: runpath?.replace('$ORIGIN', '/nowhere') })),
  }),
  (root, { lib }) => ({
    rule: '$LIB',
    files: { [`${lib}/lib0.so`]: {} },
    program: { ...needs('lib0.so'), runpath: `${root}/$LIB` },
    without: withSettings({ lib: 'nowhere' }),
  }),
  (root, { platform }) => ({
    rule: '$PLATFORM',
    files: { [`${platform}/lib0.so`]: {} },
    program: { ...needs('lib0.so'), runpath: `${root}/\${PLATFORM}` },
    without: withSettings({ platform: 'nowhere' }),
  }),
  (_, { subdirectories: [best = 'none', next = 'none'] }) => ({
    rule: 'hwcaps subdirectories, the best first',
    files: { 'a/lib0.so': {}, [`a/${best}/lib0.so`]: {}, [`a/${next}/lib0.so`]: {} },
    program: needs('lib0.so'),
    libraryPath: ['a'],
    without: withSettings({ subdirectories: [] }),
  }),
  () => ({
    rule: 'wrong class is passed over',
    files: { 'a/lib0.so': { class: 32, machine: 3 }, 'b/lib0.so': {} },
    program: needs('lib0.so'),
    libraryPath: ['a', 'b'],
    without: seenAs(() => ({ class: 64, machine: 62 })),
  }),
  () => ({
    rule: 'wrong machine is passed over',
    files: { 'a/lib0.so': { machine: 183 }, 'b/lib0.so': {} },
    program: needs('lib0.so'),
    libraryPath: ['a', 'b'],
    without: seenAs(() => ({ machine: 62 })),
  }),
  (root) => ({
    rule: 'names with a slash are paths',
    files: { 'a/lib0.so': {}, 'c/lib0.so': {} },
    program: needs(`${root}/c/lib0.so`),
    libraryPath: ['a'],
    without: seenAs(({ needed }) => ({ needed: needed.map((name) => name.replace(/.*\//, '')) })),
  }),
  () => ({
    rule: 'one object per soname',
    files: { 'a/liba.so': named('lib0.so'), 'a/lib0.so': {} },
    program: needs('liba.so', 'lib0.so'),
    libraryPath: ['a'],
    without: seenAs(() => ({ soname: undefined })),
  }),
  () => ({
    rule: 'one object per file: hard links',
    files: { 'a/lib0.so': {}, 'a/lib1.so': '= a/lib0.so' },
    program: needs('lib0.so', 'lib1.so'),
    libraryPath: ['a'],
    without: withoutIdentities,
  }),
  () => ({
    rule: 'one object per file: links',
    files: { 'a/lib0.so': {}, 'b/lib1.so': '-> a/lib0.so' },
    program: needs('lib0.so', 'lib1.so'),
    libraryPath: ['a', 'b'],
    without: withoutIdentities,
  }),
  () => ({
    rule: 'a missing version is an error',
    files: { 'a/lib0.so': named('lib0.so', { verdef: ['V1'] }) },
    program: versioned('V2', false),
    libraryPath: ['a'],
    without: seenAs(() => ({ verneed: [] })),
  }),
  () => ({
    rule: 'a missing weak version is none',
    files: { 'a/lib0.so': named('lib0.so', { verdef: ['V1'] }) },
    program: versioned('V2', true),
    libraryPath: ['a'],
    without: seenAs(({ verneed }) => ({
      verneed: verneed.map(({ file, versions }) => ({
        file,
        versions: versions.map(({ name }) => ({ name, weak: false })),
      })),
    })),
  }),
];

/** Writes a scene into a directory. Returns the program. */
export function growScene(root: string, { files, program }: Scene): string {
  for (const [name, what] of Object.entries(files)) {
    const path = join(root, name);
    mkdirSync(dirname(path), { recursive: true });
    if (typeof what !== 'string') writeFileSync(path, libraryImage(what));
    else if (what.startsWith('= ')) linkSync(join(root, what.slice(2)), path);
    else symlinkSync(join(root, what.slice(3)), path);
  }
  const path = join(root, 'd', 'program');
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, libraryImage({ interpreter: '/lib64/ld-linux-x86-64.so.2', ...program }));
  return path;
}
