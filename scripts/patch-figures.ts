// Debian's and vendors' programs → how many can be patched and are the same afterwards: the tables of docs/patch.md.
//
// node scripts/patch-figures.ts [--step N] [--only SUITE|npm] [--fresh] [--label TEXT] [DIRECTORY...]
// Every Nth program of the releases of Debian that the tests are made of, then those of npm (vendor-programs.ts), or those
// of the directories. Programs are run with --version, Debian's as nobody and where every change is kept aside. What was
// judged is kept: said again, it goes on. As root.
import { spawnSync } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { preparePrivateApt } from '../test/rig/packages/private-apt.ts';
import type { Suite } from '../test/rig/packages/selection.ts';
import { debianRoot, runInRoot } from './debian-roots.ts';
import {
  byPatchelf,
  byUs,
  type Judge,
  type Judgement,
  lookAt,
  openJudge,
  type Program,
  programsIn,
} from './judge-patched.ts';
import { fetchVendorPrograms, VENDORS } from './vendor-programs.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    step: { type: 'string' },
    only: { type: 'string', multiple: true },
    fresh: { type: 'boolean' },
    label: { type: 'string' },
    inside: { type: 'string' },
  },
});

const FIGURES = `${VENDORS}-figures`;
const progress = path.join(FIGURES, 'judged.jsonl');
const RELEASES: readonly (readonly [Suite, string])[] = [
  ['bookworm', 'Debian 12'],
  ['bullseye', 'Debian 11'],
  ['trixie', 'Debian 13'],
  ['sid', 'Debian sid'],
];
/** Programs of which gdb is asked: it takes half a second each. */
const GDB_STEP = 20;

interface Line extends Judgement {
  readonly label: string;
  readonly way: string;
  /** With size and time of the file. */
  readonly key: string;
}

function judgedLines(): Line[] {
  if (!existsSync(progress)) return [];
  const lines = readFileSync(progress, 'utf8').split('\n');
  return lines.filter((each) => each !== '').map((each) => JSON.parse(each) as Line);
}

const keyOf = ({ file }: Program): string => {
  const { size, mtimeMs } = statSync(file);
  return `${file} ${size} ${mtimeMs}`;
};

/** patchelf of another release, with the libraries that it needs: its command line. */
async function patchelfOf(suite: 'trixie'): Promise<string[]> {
  const directory = path.join(VENDORS, `patchelf-${suite}`);
  if (!existsSync(path.join(directory, 'root/usr/bin/patchelf'))) {
    const apt = await preparePrivateApt(suite, path.join(directory, 'apt'));
    const env = { ...process.env, APT_CONFIG: apt.configuration };
    const names = ['patchelf', 'libc6', 'libstdc++6', 'libgcc-s1'].map((each) => `${each}:amd64`);
    spawnSync('apt-get', ['download', '-qq', ...names], { env, cwd: apt.directory });
    for (const file of readdirSync(apt.directory).filter((each) => each.endsWith('.deb')))
      spawnSync('dpkg-deb', ['-x', path.join(apt.directory, file), path.join(directory, 'root')]);
  }
  const libraries = path.join(directory, 'root/usr/lib/x86_64-linux-gnu');
  const own = path.join(libraries, 'ld-linux-x86-64.so.2');
  return [own, '--library-path', libraries, path.join(directory, 'root/usr/bin/patchelf')];
}

function versionOf([command = '', ...args]: readonly string[]): string {
  const { stdout } = spawnSync(command, [...args, '--version'], { encoding: 'utf8' });
  return stdout.trim();
}

function judgeAll(
  label: string,
  programs: readonly Program[],
  judge: Judge,
  patchelf: readonly string[],
): void {
  const known = new Set(judgedLines().map((each) => [each.label, each.way, each.key].join('\0')));
  const ways = ['nix-foreign patch', '--no-lift', versionOf(patchelf)];
  programs.forEach((program, index) => {
    const key = keyOf(program);
    const left = ways.filter((way) => !known.has([label, way, key].join('\0')));
    if (left.length === 0) return;
    const before = lookAt(judge, program);
    const gdb = index % GDB_STEP === 0 ? 'gdb' : 'no gdb';
    for (const way of left) {
      const judged =
        way === '--no-lift' || way === 'nix-foreign patch'
          ? byUs(judge, before, way === '--no-lift' ? 'own' : 'lifted', gdb)
          : byPatchelf(judge, before, patchelf, gdb);
      appendFileSync(progress, `${JSON.stringify({ label, way, key, ...judged })}\n`);
    }
    if (index % 50 === 0) console.error(`${label}: ${index} of ${programs.length}`);
  });
  rmSync(judge.scratch, { recursive: true, force: true });
}

const percentOrCount = (yes: number, of: number, all: number): string =>
  of === all ? `${yes}` : `${yes} of ${of}`;

function tableRow(lines: readonly Line[]): string {
  const count = lines.length;
  const sizes = lines.flatMap(({ growth }) => growth ?? []).sort((a, b) => a - b);
  const cell = (of: (line: Line) => boolean | undefined) => {
    const known = lines.map(of).filter((each) => each !== undefined);
    return percentOrCount(known.filter(Boolean).length, known.length, count);
  };
  const cells = [
    `${lines[0]?.label}: ${lines[0]?.way}`,
    count,
    cell(({ possible }) => possible),
    cell(({ possible, same }) => (possible ? same : false)),
    cell(({ possible, sameSet }) => (possible ? sameSet : false)),
    cell(({ possible, stripped }) => (possible ? stripped : false)),
    cell(({ gdb }) => gdb),
    sizes[sizes.length >> 1] ?? '',
    sizes.at(-1) ?? '',
    cell(({ undone }) => undone ?? false),
  ];
  return `| ${cells.join(' | ')} |`;
}

function printTable(label: string): void {
  const lines = judgedLines().filter((each) => each.label === label);
  const ways = [...new Set(lines.map(({ way }) => way))];
  console.log(
    '| | programs | possible | same behaviour | same libraries | after strip | gdb | growth, median (bytes) | growth, largest (bytes) | undone |',
  );
  console.log('|---|---|---|---|---|---|---|---|---|---|');
  for (const way of ways) console.log(tableRow(lines.filter((each) => each.way === way)));
  for (const { way, key, complaints } of lines)
    for (const each of complaints) console.error(`${label}: ${way}: ${key.split(' ')[0]}: ${each}`);
  console.log();
}

const step = Number(values.step ?? 1);
const every = (programs: readonly Program[]) => programs.filter((_, index) => index % step === 0);

/** In the root of a release. */
async function judgeRelease(label: string): Promise<void> {
  const machine = ['/usr/bin', '/usr/sbin', '/usr/libexec'].filter((each) => existsSync(each));
  // Java's programs look for their libraries by where they lie.
  const own = programsIn(machine, false).filter(({ file }) => !file.includes('/jvm/'));
  judgeAll(label, every(own), openJudge('nobody'), await patchelfOf('trixie'));
}

/** Debian 12 is judged as it is installed, the others by a list of packages. */
function isThisMachine(suite: Suite): boolean {
  const release = existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : '';
  return suite === 'bookworm' && /^VERSION_CODENAME=bookworm$/m.test(release) && /^ID=debian$/m.test(release);
}

async function enterRelease(suite: Suite, label: string): Promise<void> {
  const root = isThisMachine(suite) ? '/' : await debianRoot(suite, FIGURES);
  const tool = path.resolve(import.meta.dirname, '..');
  const words = [process.execPath, '--disable-warning=ExperimentalWarning', process.argv[1] ?? ''];
  const shown = [tool, path.dirname(process.execPath), VENDORS, FIGURES];
  const status = runInRoot(root, shown, [...words, '--inside', label, '--step', String(step)]);
  if (status !== 0) throw new Error(`${label}: its programs could not be judged (${status})`);
}

mkdirSync(FIGURES, { recursive: true });
if (values.fresh) rmSync(progress, { force: true });
const isWanted = (name: string) => values.only === undefined || values.only.includes(name);
if (values.inside !== undefined) await judgeRelease(values.inside);
else if (positionals.length > 0) {
  const label = values.label ?? positionals.join(' ');
  judgeAll(label, every(programsIn(positionals, true)), openJudge('self'), await patchelfOf('trixie'));
  printTable(label);
} else {
  await patchelfOf('trixie');
  for (const [suite, label] of RELEASES.filter(([each]) => isWanted(each))) {
    await enterRelease(suite, label);
    printTable(label);
  }
  if (isWanted('npm')) {
    const vendors = programsIn(fetchVendorPrograms(), true);
    console.log(`${vendors.map(({ file }) => path.basename(file)).join(', ')}\n`);
    judgeAll('npm', every(vendors), openJudge('self'), await patchelfOf('trixie'));
    printTable('npm');
  }
}
