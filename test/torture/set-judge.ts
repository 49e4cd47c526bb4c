// Random libraries for real glibcs → the set that the solver takes loads; where it takes none, no conceivable set does, or
// none of some where there are many.
import { cpSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Verneed } from '../../src/elf/elf-file.ts';
import { elfFileAt } from '../../src/elf/open-elf.ts';
import { libcOf } from '../../src/program/libc.ts';
import type { DynamicProgram } from '../../src/resolve/job.ts';
import { solveProgram } from '../../src/resolve/solve-program.ts';
import type { Solution } from '../../src/solver/solution.ts';
import { type Catalogue, openCatalogue } from '../../src/store/catalogue.ts';
import { scanObject } from '../../src/store/scan-object.ts';
import { seededRandom } from '../elf/seeded-random.ts';
import { askLoader } from '../ldso/ask-loader.ts';
import { type LibraryDescription, libraryImage } from '../ldso/library-image.ts';
import { ensureRig } from '../rig/rig.ts';

const INTERPRETER = '/lib64/ld-linux-x86-64.so.2';
const LOADER = path.basename(INTERPRETER);
const OF_GLIBC = ['GLIBC_2.2.5', 'GLIBC_2.34', 'GLIBC_2.36', 'GLIBC_2.38', 'GLIBC_2.99'];
/** So many sets are all tried where the solver takes none; of more, about so many. */
const FEW_SETS = 40;
const MOST_SETS = 12;

interface MadeStore {
  readonly storeDir: string;
  /** Names of the libraries that a program may need → store objects that have them. */
  readonly offers: ReadonlyMap<string, readonly string[]>;
  readonly program: string;
}

type Random = (below: number) => number;

/** In `libc.so.6` and the libraries from `from` on, so that few circles come about. */
function randomNeeds(random: Random, names: readonly string[], from: number): readonly Verneed[] {
  const some = names.slice(from).filter(() => random(2) === 0);
  const of = some.map((file): Verneed => ({ file, versions: randomVersions(random) }));
  const libc = random(3) === 0 ? [] : [OF_GLIBC[random(random(6) === 0 ? 5 : 4)] as string];
  return [...of, { file: 'libc.so.6', versions: libc.map((name) => ({ name, weak: random(8) === 0 })) }];
}

function randomVersions(random: Random): Verneed['versions'] {
  if (random(3) === 0) return [];
  return [{ name: `V_${1 + random(3)}`, weak: random(10) === 0 }];
}

function libraryOf(needs: readonly Verneed[]): LibraryDescription {
  return { needed: needs.map(({ file }) => file), verneed: needs.filter((each) => each.versions.length > 0) };
}

/** Store objects with a library each, and a program beside the store. */
function makeStore(home: string, random: Random): MadeStore {
  const storeDir = path.join(home, 'store');
  const names = Array.from({ length: 2 + random(3) }, (_, at) => `lib${'uvwxyz'[at]}.so.1`);
  const offers = new Map<string, string[]>();
  for (const [at, name] of names.entries()) {
    const count = random(9) === 0 ? 0 : 1 + random(3);
    const objects = Array.from({ length: count }, (_, nth) =>
      path.join(storeDir, `${String(at).repeat(31)}${nth}-${name}`),
    );
    offers.set(name, objects);
    for (const object of objects) {
      const from = random(6) === 0 ? 0 : at + 1;
      const verdef = ['V_1', 'V_2', 'V_3'].filter(() => random(3) > 0);
      const runpath = random(2) === 0 ? {} : { runpath: path.join(objects[random(count)] as string, 'lib') };
      const description = libraryOf(randomNeeds(random, names, from));
      mkdirSync(path.join(object, 'lib'), { recursive: true });
      const image = libraryImage({
        ...description,
        ...runpath,
        soname: name,
        ...(random(8) === 0 ? {} : { verdef }),
      });
      writeFileSync(path.join(object, 'lib', name), image);
    }
  }
  const program = path.join(home, 'program');
  const own = { ...libraryOf(randomNeeds(random, names, 0)), interpreter: INTERPRETER };
  writeFileSync(program, libraryImage(own), { mode: 0o755 });
  return { storeDir, offers, program };
}

/** Whether the loader loads the program with just these libraries and those beside the loader. */
function loads(program: string, loader: string, files: readonly string[]): boolean {
  const farm = `${program}.farm`;
  mkdirSync(farm);
  for (const file of files) symlinkSync(file, path.join(farm, path.basename(file)));
  const libraryPath = `${farm}:${path.dirname(loader)}`;
  const { status, complaints } = askLoader({ loader, program, libraryPath, cwd: '/', onMissing: 'stop' });
  rmSync(farm, { recursive: true });
  const harmless = /: no version information available | weak version /;
  return status === 0 && complaints.every((each) => harmless.test(each));
}

/** Each way to take one of every name's objects, or none of a name without any. */
function* everyChoice(offers: readonly (readonly string[])[]): Generator<string[]> {
  const [first, ...rest] = offers;
  if (first === undefined) return yield [];
  for (const more of everyChoice(rest)) {
    if (first.length === 0) yield more;
    for (const object of first) yield [object, ...more];
  }
}

function fileIn(object: string): string {
  const [name = ''] = readdirSync(path.join(object, 'lib'));
  return path.join(object, 'lib', name);
}

/** What is wrong with a set that was taken. */
function wrongOfSet({ loader, choices }: Solution, { program }: MadeStore): string | undefined {
  const own = choices.filter(({ provider }) => provider.storePath !== loader.storePath);
  const files = own.map(({ provider }) => provider.path);
  return loads(program, loader.path, files)
    ? undefined
    : `the set is refused: ${[loader.path, ...files].join(' ')}`;
}

function wrongOfConflict(
  { offers, program }: MadeStore,
  glibcs: readonly string[],
  random: Random,
): string | undefined {
  const choices = [...everyChoice([...offers.values()])];
  const all = glibcs.flatMap((loader) => choices.map((objects) => ({ loader, objects })));
  const some = all.length <= FEW_SETS ? all : all.filter(() => random(all.length) < MOST_SETS);
  for (const { loader, objects } of some) {
    if (loads(program, loader, objects.map(fileIn)))
      return `no set is taken, but this loads: ${[loader, ...objects].join(' ')}`;
  }
  return undefined;
}

/** The loaders of the store, each in an object with what its programs need of it. */
async function copyGlibcs(storeDir: string): Promise<string[]> {
  const rig = await ensureRig('full');
  const glibcs = rig.storeObjects.filter((each) => each.provides.includes(LOADER));
  return glibcs.map(({ path: object }) => {
    const from = path.join(rig.nixDir, path.relative('/nix', object), 'lib');
    const to = path.join(storeDir, path.basename(object), 'lib');
    mkdirSync(to, { recursive: true });
    for (const name of readdirSync(from).filter((each) =>
      /^(libc|libm|ld-linux-x86-64|ld-2|libc-2|libm-2)\b/.test(each),
    ))
      cpSync(path.join(from, name), path.join(to, name), { verbatimSymlinks: true });
    return path.join(to, LOADER);
  });
}

function programOf(file: string): DynamicProgram {
  const elf = elfFileAt(file);
  if (elf === undefined) throw new Error(`${file} is no ELF file`);
  const libc = libcOf(elf, 'glibc');
  return { typedName: file, path: file, elf, libc, interpreter: INTERPRETER } as unknown as DynamicProgram;
}

function tell(catalogue: Catalogue, objects: readonly string[]): void {
  catalogue.update(new Map(objects.map((each) => [path.basename(each), scanObject(each)])), []);
}

/** One round in `home`: what is wrong, or how the solver ended. */
export async function openSets(
  home: string,
): Promise<(seed: number) => { wrong: string } | { kind: string }> {
  const storeDir = path.join(home, 'store');
  const glibcs = await copyGlibcs(storeDir);
  const catalogue = openCatalogue(path.join(home, 'catalogue.sqlite'), storeDir);
  tell(
    catalogue,
    glibcs.map((loader) => path.resolve(loader, '../..')),
  );
  return (seed) => {
    const random = seededRandom(seed);
    const made = makeStore(home, random);
    const objects = [...made.offers.values()].flat();
    tell(catalogue, objects);
    const { outcome } = solveProgram(programOf(made.program), catalogue, new Set());
    const wrong =
      outcome.kind === 'solution' ? wrongOfSet(outcome, made) : wrongOfConflict(made, glibcs, random);
    catalogue.update(
      new Map(),
      objects.map((each) => path.basename(each)),
    );
    for (const each of objects) rmSync(each, { recursive: true });
    return wrong === undefined ? { kind: outcome.kind } : { wrong: `seed ${seed}: ${wrong}` };
  };
}
