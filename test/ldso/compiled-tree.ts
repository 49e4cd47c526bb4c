// A seed → directories of small libraries that the C compiler makes, with diamonds, versions and run paths, and a program.
import { copyFileSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { seededRandom } from '../elf/seeded-random.ts';
import { compile } from '../scenarios/compile.ts';

export interface CompiledTree {
  readonly program: string;
  readonly libraryPath: string;
  /** Real path → what its functions say and call. */
  readonly speakers: ReadonlyMap<string, Speaker>;
  /** What was made, for a reader of a failure. */
  readonly report: readonly string[];
}

/** An object's functions. `tell_3` says the object's word and then calls others in order; those of `also` only say it. */
export interface Speaker {
  readonly word: string;
  readonly main: string;
  readonly calls: readonly string[];
  readonly also: readonly string[];
}

const folders = ['a', 'b', 'c'];
const count = 5;

const declared = (calls: readonly string[]): string =>
  calls.map((call) => `void ${call}(void (*)(const char *));`).join(' ');
const called = (calls: readonly string[]): string => calls.map((call) => `${call}(say);`).join(' ');

function librarySource({ word, main, calls, also }: Speaker): string {
  const others = also
    .map((name) => `void ${name}(void (*say)(const char *)) { say("${word} "); }`)
    .join('\n');
  return `${declared(calls)}
    void ${main}(void (*say)(const char *)) { say("${word} "); ${called(calls)} }
    ${others}`;
}

/** Without any libc, so that every loader can start it: it writes by itself. */
function programSource({ word, calls }: Speaker): string {
  return `${declared(calls)}
    static long system_call(long number, long a, const void *b, long c) {
      long result;
      __asm__ volatile("syscall" : "=a"(result) : "0"(number), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
      return result;
    }
    static void say(const char *text) { long n = 0; while (text[n]) n++; system_call(1, 1, text, n); }
    __attribute__((used)) static void begin(void) { say("${word} "); ${called(calls)} system_call(60, 0, 0, 0); }
    __asm__(".globl _start\\n_start: and $-16, %rsp\\n call begin\\n");`;
}

interface Built {
  readonly file: string;
  readonly number: number;
  readonly soname: string | undefined;
}

/** Of several libraries of one soname ld(1) links with the first only. */
function distinct(libraries: readonly Built[]): Built[] {
  const first = (soname: string) => libraries.find((each) => each.soname === soname);
  return libraries.filter((each) => each.soname === undefined || first(each.soname) === each);
}

const usual = ['-nostdlib', '-Wl,--no-as-needed,--allow-shlib-undefined,-z,lazy'];

/** Makes the tree in the empty directory `root`. */
export function growCompiledTree(root: string, seed: number): CompiledTree {
  const random = seededRandom(seed * 2_654_435_761 + 54_321);
  for (let turn = 0; turn < 8; turn += 1) random(2);
  const chance = (percent: number) => random(100) < percent;
  const pick = <T>(from: readonly T[]): T => from[random(from.length)] as T;
  const speakers = new Map<string, Speaker>();
  const report: string[] = [];
  const built: Built[] = [];

  const runPath = (): string[] => {
    if (chance(35)) return [];
    const elements = Array.from({ length: 1 + random(2) }, () =>
      pick(['$ORIGIN', `$ORIGIN/../${pick(folders)}`, `${root}/${pick(folders)}`]),
    );
    return [
      `-Wl,--${pick(['enable', 'disable'])}-new-dtags`,
      ...elements.map((each) => `-Wl,-rpath,${each}`),
    ];
  };
  /** Builds of other libraries to be linked with, at most one of each number. */
  const needs = (after: number, most: number) => {
    const numbers = [...new Set(built.map(({ number }) => number))].filter((number) => number > after);
    const wanted = new Set(
      Array.from({ length: numbers.length === 0 ? 0 : 1 + random(most) }, () => pick(numbers)),
    );
    return distinct([...wanted].sort().map((number) => pick(built.filter((each) => each.number === number))));
  };
  const versions = (file: string, number: number): string[] => {
    if (chance(45)) return [];
    const script = `${file}.map`;
    const own = `tell_${number};`;
    const text = pick([
      `V1 { global: ${own} };`,
      `V1 { global: ${own} };`,
      `V1 { }; V2 { global: ${own} } V1;`,
      `OTHER { }; V1 { global: ${own} } OTHER;`,
    ]);
    writeFileSync(script, text);
    report.push(`  with ${text}`);
    return [`-Wl,--version-script=${script}`];
  };
  const make = (file: string, speaker: Speaker, source: string, flags: readonly string[]): void => {
    report.push(`${file.slice(root.length + 1)}: ${flags.join(' ').replaceAll(`${root}/`, '')}`);
    compile(file, source, [...usual, ...flags]);
    speakers.set(file, speaker);
  };
  const makeLibrary = (folder: string, number: number): void => {
    const file = join(root, folder, `lib${number}.so`);
    const libraries = needs(number, 3);
    const also = chance(20) ? [`tell_${random(count)}`].filter((name) => name !== `tell_${number}`) : [];
    const speaker = {
      word: `${folder}/lib${number}`,
      main: `tell_${number}`,
      calls: libraries.map((each) => `tell_${each.number}`).filter((name) => !also.includes(name)),
      also,
    };
    const soname = chance(88) ? `lib${chance(90) ? number : random(count)}.so` : undefined;
    const named = soname === undefined ? [] : [`-Wl,-soname,${soname}`];
    const linked = libraries.map((each) => each.file);
    const flags = ['-shared', '-fPIC', ...named, ...linked, ...runPath(), ...versions(file, number)];
    make(file, speaker, librarySource(speaker), flags);
    built.push({ file, number, soname });
  };

  for (const folder of folders) mkdirSync(join(root, folder));
  // From the last to the first, since a library is linked with later ones.
  for (let number = count - 1; number >= 0; number -= 1)
    for (const folder of folders) if (chance(60)) makeLibrary(folder, number);
  if (built.length === 0) makeLibrary('a', 0);
  const wanted = needs(-1, 3);
  const own = { word: 'program', main: '', calls: wanted.map(({ number }) => `tell_${number}`), also: [] };
  const program = join(root, 'a', 'program');
  make(program, own, programSource(own), ['-pie', ...wanted.map(({ file }) => file), ...runPath()]);
  const taken = new Set(built.map(({ file }) => file));
  for (const { file } of built) disturb(file);
  const libraryPath = folders
    .filter(() => chance(55))
    .map((folder) => join(root, folder))
    .join(':');
  return { program, libraryPath, speakers, report };

  /** What happens to a library after others were linked with it. */
  function disturb(file: string): void {
    const elsewhere = join(root, pick(folders), basename(file));
    if (chance(10)) {
      rmSync(file);
      report.push(`${file.slice(root.length + 1)} removed`);
      return;
    }
    if (taken.has(elsewhere) || !chance(60)) return;
    taken.add(elsewhere);
    const speaker = speakers.get(file);
    if (speaker === undefined) return;
    const isLink = chance(50);
    report.push(`${elsewhere.slice(root.length + 1)} ${isLink ? 'links to' : 'is a copy of'} ${file}`);
    if (isLink) symlinkSync(join('..', basename(dirname(file)), basename(file)), elsewhere);
    else {
      copyFileSync(file, elsewhere);
      speakers.set(elsewhere, speaker);
    }
  }
}
