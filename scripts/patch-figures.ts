// Debian's and vendors' programs → how many can be patched and are the same afterwards: the tables of docs/patch.md.
//
// node scripts/patch-figures.ts [--step N] [--only debian|npm] [--patchelf FILE] [--label TEXT] [DIRECTORY...]
// Every Nth program of this Debian, then those of npm (scripts/vendor-programs.ts), or those of the directories.
// Programs are run with --version. Beside patchelf of this machine that of trixie is asked, in a directory of its own.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import type { ElfFile } from '../src/elf/elf-file.ts';
import { elfFileAt, openFileSource } from '../src/elf/open-elf.ts';
import { structureComplaints } from '../src/integrations/patch/check-structure.ts';
import { chooseEdits, type Method } from '../src/integrations/patch/choose-edits.ts';
import {
  copyWithChanges,
  copyWithUndo,
  sha256OfSource,
} from '../src/integrations/patch/copy-with-changes.ts';
import { undoOf } from '../src/integrations/patch/file-changes.ts';
import type { WantedNames } from '../src/integrations/patch/wanted-names.ts';
import { preparePrivateApt } from '../test/rig/packages/private-apt.ts';
import { fetchVendorPrograms, VENDORS } from './vendor-programs.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    step: { type: 'string' },
    only: { type: 'string' },
    patchelf: { type: 'string', multiple: true },
    label: { type: 'string' },
  },
});
const loader = '/lib64/ld-linux-x86-64.so.2';
const scratch = mkdtempSync(path.join(tmpdir(), 'patch-figures-'));
/** As long as a farm's path in the store. */
const farm = path.join(scratch, 'f'.repeat(Math.max(1, 44 - scratch.length)));
mkdirSync(farm);
symlinkSync(loader, path.join(farm, 'ld'));

interface Program {
  readonly file: string;
  readonly elf: ElfFile;
}

function programsIn(directories: readonly string[], recursive: boolean): Program[] {
  const found = new Map<string, Program>();
  for (const directory of directories) {
    for (const name of readdirSync(directory, { recursive, encoding: 'utf8' })) {
      try {
        const file = realpathSync(path.join(directory, name));
        const { mode } = statSync(file);
        const elf = (mode & 0o6000) === 0 ? elfFileAt(file) : undefined;
        if (elf?.interpreter === loader) found.set(file, { file, elf });
      } catch {} // a link that leads nowhere
    }
  }
  return [...found.values()].sort((a, b) => (a.file < b.file ? -1 : 1));
}

/** What a run shows, without what is different each time: numbers, its own path. */
function seen(file: string, as: string): string {
  const env = { PATH: '/usr/bin:/bin', HOME: scratch };
  const { status, signal, stdout, stderr } = spawnSync(file, ['--version'], {
    argv0: as,
    env,
    cwd: scratch,
    encoding: 'utf8',
    timeout: 60_000,
  });
  return [status, signal, stdout, stderr]
    .join('\n')
    .replaceAll(file, as)
    .replaceAll(/\b[0-9]+\b/g, 'N');
}

function listed(file: string): string {
  const { stdout } = spawnSync(loader, ['--list', file], { encoding: 'utf8', env: {} });
  const files = [...stdout.matchAll(/=> (\S+)/g)].map(([, each = '']) =>
    existsSync(each) ? realpathSync(each) : each,
  );
  return files.filter((each) => each !== realpathSync(loader)).join('\n');
}

/** The names that libraries of the program need and it does not, as the command lifts them. */
function transitive({ file, elf }: Program): string[] {
  const { stdout } = spawnSync(loader, ['--list', file], { encoding: 'utf8', env: {} });
  return [...stdout.matchAll(/^\t(\S+) => (\S+)/gm)].flatMap(([, name = '', target = '']) => {
    const link = path.join(farm, name);
    if (!existsSync(link)) symlinkSync(target, link);
    return elf.needed.includes(name) || name.includes('/') ? [] : [name];
  });
}

function gdbSees(file: string): boolean {
  const args = ['-nx', '-batch', '-ex', 'starti', '-ex', 'info proc', file];
  const { status, stdout } = spawnSync('gdb', args, { encoding: 'utf8', timeout: 60_000 });
  return status === 0 && /exe = /.test(stdout);
}

interface Row {
  possible: number;
  same: number;
  sameSet: number;
  stripped: number;
  gdb: number;
  gdbAsked: number;
  undone: number;
  growth: number[];
  failures: string[];
}

const newRow = (): Row => ({
  possible: 0,
  same: 0,
  sameSet: 0,
  stripped: 0,
  gdb: 0,
  gdbAsked: 0,
  undone: 0,
  growth: [],
  failures: [],
});

/** Programs of which gdb is asked: it takes half a second each. */
const GDB_STEP = 20;

function judge(row: Row, { file }: Program, copy: string, index: number): void {
  row.possible += 1;
  row.growth.push(statSync(copy).size - statSync(file).size);
  // What some set up at their first start they say once.
  seen(file, file);
  const before = seen(file, file);
  if (seen(copy, file) === before) row.same += 1;
  else row.failures.push(`${file}: runs otherwise`);
  if (listed(copy) === listed(file)) row.sameSet += 1;
  else row.failures.push(`${file}: other libraries`);
  const stripped = `${copy}.stripped`;
  const { status } = spawnSync('strip', ['-o', stripped, copy]);
  const elf = status === 0 ? elfFileAt(stripped) : undefined;
  const paths = `${elf?.rpath}:${elf?.runpath}`;
  if (elf?.interpreter?.startsWith(farm) && paths.includes(farm) && seen(stripped, file) === before)
    row.stripped += 1;
  else row.failures.push(`${file}: not as before after strip`);
  rmSync(stripped, { force: true });
  if (index % GDB_STEP === 0) {
    row.gdbAsked += 1;
    if (gdbSees(copy)) row.gdb += 1;
  }
}

function wantedFor(program: Program, lift: boolean): WantedNames {
  const own = program.elf.runpath ?? program.elf.rpath;
  return {
    interpreter: path.join(farm, 'ld'),
    runPath: { tag: 'rpath', text: own === undefined ? farm : `${own}:${farm}` },
    renamed: new Map(),
    lifted: lift ? transitive(program) : [],
  };
}

function byUs(row: Row, program: Program, index: number, method: Method | 'auto', lift: boolean): void {
  const { file } = program;
  const source = openFileSource(file);
  const wanted = wantedFor(program, lift);
  const choice = chooseEdits(source, wanted, method);
  if (choice.kind === 'impossible')
    row.failures.push(`${file}: ${choice.why} (${choice.payload?.kind ?? 'nothing appended'})`);
  else {
    const copy = path.join(path.dirname(file), `.${path.basename(file)}.patched`);
    const undo = undoOf(source, choice.changes);
    copyWithChanges(file, copy, choice.changes, source.size);
    chmodSync(copy, 0o755);
    const now = openFileSource(copy);
    const complaints = structureComplaints(source, now, { ...wanted, lifted: choice.lifted });
    row.failures.push(...complaints.map((each) => `${file}: ${each}`));
    now.close();
    judge(row, program, copy, index);
    copyWithUndo(copy, `${copy}.undone`, undo);
    const back = createHash('sha256')
      .update(readFileSync(`${copy}.undone`))
      .digest('hex');
    if (back === sha256OfSource(source)) row.undone += 1;
    rmSync(copy);
    rmSync(`${copy}.undone`);
  }
  source.close();
}

function byPatchelf(
  row: Row,
  program: Program,
  index: number,
  [command = '', ...own]: readonly string[],
): void {
  const { file } = program;
  const wanted = wantedFor(program, false);
  const copy = path.join(path.dirname(file), `.${path.basename(file)}.patched`);
  const args = [
    ...own,
    '--set-interpreter',
    wanted.interpreter ?? '',
    '--set-rpath',
    wanted.runPath?.text ?? '',
    '--output',
    copy,
    file,
  ];
  const { status } = spawnSync(command, args);
  if (status === 0) {
    chmodSync(copy, 0o755);
    judge(row, program, copy, index);
  } else row.failures.push(`${file}: patchelf ends with ${status}`);
  rmSync(copy, { force: true });
}

function text(name: string, count: number, row: Row): string {
  const sizes = [...row.growth].sort((a, b) => a - b);
  const [median = 0, most = 0] = [sizes[sizes.length >> 1], sizes.at(-1)];
  const cells = [
    name,
    count,
    row.possible,
    row.same,
    row.sameSet,
    row.stripped,
    `${row.gdb} of ${row.gdbAsked}`,
    median,
    most,
    row.undone,
  ];
  return `| ${cells.join(' | ')} |`;
}

const step = Number(values.step ?? 1);

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

type Way = readonly [string, (row: Row, program: Program, index: number) => void];

function table(label: string, programs: readonly Program[], ways: readonly Way[]): void {
  console.log(
    '| | programs | possible | same behaviour | same libraries | after strip | gdb | growth, median | largest | undone |',
  );
  console.log('|---|---|---|---|---|---|---|---|---|---|');
  for (const [name, work] of ways) {
    const row = newRow();
    programs.forEach((program, index) => {
      work(row, program, index);
    });
    console.log(text(`${label}: ${name}`, programs.length, row));
    for (const failure of row.failures) console.error(`${label}: ${name}: ${failure}`);
  }
  console.log();
}

const patchelfs = values.patchelf?.map((each) => [each]) ?? [['patchelf'], await patchelfOf('trixie')];
const ways: readonly Way[] = [
  ['nix-foreign patch', (row, program, index) => byUs(row, program, index, 'auto', true)],
  ['--no-lift', (row, program, index) => byUs(row, program, index, 'auto', false)],
  ...patchelfs.map(
    (command): Way => [versionOf(command), (row, program, index) => byPatchelf(row, program, index, command)],
  ),
];
const every = (programs: readonly Program[]) => programs.filter((_, index) => index % step === 0);
if (positionals.length > 0) table(values.label ?? '', every(programsIn(positionals, true)), ways);
else {
  const machine = ['/usr/bin', '/usr/sbin', '/usr/libexec'].filter((each) => existsSync(each));
  // Java's programs look for their libraries by where they lie.
  const own = programsIn(machine, false).filter(({ file }) => !file.includes('/jvm/'));
  if (values.only !== 'npm') table('Debian', every(own), ways);
  if (values.only !== 'debian') {
    const vendors = programsIn(fetchVendorPrograms(), true);
    console.log(`${vendors.map(({ file }) => path.basename(file)).join(', ')}\n`);
    table('npm', vendors, ways);
  }
}
rmSync(scratch, { recursive: true, force: true });
