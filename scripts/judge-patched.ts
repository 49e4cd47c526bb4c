// A program and a way of patching it → whether it is possible, and what is the same afterwards.
import { spawnSync } from 'node:child_process';
import {
  accessSync,
  chmodSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { ElfFile } from '../src/elf/elf-file.ts';
import { elfFileAt, openFileSource } from '../src/elf/open-elf.ts';
import { structureComplaints } from '../src/integrations/patch/check-structure.ts';
import { chooseEdits } from '../src/integrations/patch/choose-edits.ts';
import {
  copyWithChanges,
  copyWithUndo,
  sha256OfSource,
} from '../src/integrations/patch/copy-with-changes.ts';
import { undoOf } from '../src/integrations/patch/file-changes.ts';
import type { WantedNames } from '../src/integrations/patch/wanted-names.ts';

export interface Program {
  readonly file: string;
  readonly elf: ElfFile;
}

/** Of one program by one way. */
export interface Judgement {
  readonly possible: boolean;
  /** Undefined where the program itself does otherwise each time that it is run. */
  readonly same?: boolean | undefined;
  readonly sameSet?: boolean;
  /** Runs as before and still names interpreter and run path; undefined where strip spoils the program itself. */
  readonly stripped?: boolean | undefined;
  /** Undefined where gdb was not asked. */
  readonly gdb?: boolean | undefined;
  readonly growth?: number;
  readonly undone?: boolean;
  readonly complaints: readonly string[];
}

const loader = '/lib64/ld-linux-x86-64.so.2';
/** Of root's programs some would do what they are asked for. */
const NOBODY = 65_534;
const TIMEOUT = 20_000;

export function programsIn(directories: readonly string[], recursive: boolean): Program[] {
  const found = new Map<string, Program>();
  for (const directory of directories) {
    for (const name of readdirSync(directory, { recursive, encoding: 'utf8' })) {
      try {
        const file = realpathSync(path.join(directory, name));
        const { mode } = statSync(file);
        const elf = (mode & 0o6000) === 0 ? elfFileAt(file) : undefined;
        accessSync(file, constants.X_OK);
        if (elf?.interpreter === loader) found.set(file, { file, elf });
      } catch {} // a link that leads nowhere
    }
  }
  return [...found.values()].sort((a, b) => (a.file < b.file ? -1 : 1));
}

export interface Judge {
  /** Programs are run as. */
  readonly user: 'nobody' | 'self';
  readonly scratch: string;
  /** As long as a farm's path in the store. */
  readonly farm: string;
}

export function openJudge(user: Judge['user']): Judge {
  const scratch = mkdtempSync(path.join(tmpdir(), 'figures-'));
  const farm = path.join(scratch, 'f'.repeat(Math.max(1, 44 - scratch.length)));
  mkdirSync(farm);
  symlinkSync(loader, path.join(farm, 'ld'));
  if (user === 'nobody') chmodSync(scratch, 0o777);
  return { user, scratch, farm };
}

/** What a run shows, without what is different each time: numbers, its own path. */
function seen({ user, scratch }: Judge, file: string, as: string): string {
  const { status, signal, stdout, stderr } = spawnSync(file, ['--version'], {
    argv0: as,
    env: { PATH: '/usr/bin:/bin', HOME: scratch },
    cwd: scratch,
    encoding: 'utf8',
    timeout: TIMEOUT,
    killSignal: 'SIGKILL',
    ...(user === 'nobody' ? { uid: NOBODY, gid: NOBODY } : {}),
  });
  return [status, signal, stdout, stderr]
    .join('\n')
    .replaceAll(file, as)
    .replaceAll(path.basename(file), path.basename(as))
    .replaceAll(/\b(?:0x)?[0-9a-f]*[0-9][0-9a-f]*\b/g, 'N');
}

function listed(file: string): string {
  const { stdout } = spawnSync(loader, ['--list', file], { encoding: 'utf8', env: {} });
  const files = [...stdout.matchAll(/=> (\S+)/g)].map(([, each = '']) =>
    existsSync(each) ? realpathSync(each) : each,
  );
  return files.filter((each) => each !== realpathSync(loader)).join('\n');
}

/** The names that libraries of the program need and it does not, as the command lifts them. */
function transitive({ file, elf }: Program, farm: string): string[] {
  const { stdout } = spawnSync(loader, ['--list', file], { encoding: 'utf8', env: {} });
  return [...stdout.matchAll(/^\t(\S+) => (\S+)/gm)].flatMap(([, name = '', target = '']) => {
    const link = path.join(farm, name);
    if (name.includes('/') || !existsSync(target)) return [];
    rmSync(link, { force: true });
    symlinkSync(target, link);
    return elf.needed.includes(name) ? [] : [name];
  });
}

function gdbSees(file: string): boolean {
  const args = ['-nx', '-batch', '-ex', 'starti', '-ex', 'info proc', file];
  const { status, stdout } = spawnSync('gdb', args, { encoding: 'utf8', timeout: 60_000 });
  return status === 0 && /exe = /.test(stdout);
}

function sha256(file: string): string {
  const source = openFileSource(file);
  try {
    return sha256OfSource(source);
  } finally {
    source.close();
  }
}

/** The program itself, as it is before. Each is run twice: what some set up at their first start they say once. */
export interface Before {
  readonly program: Program;
  readonly shown: string;
  readonly isSteady: boolean;
  readonly list: string;
  /** What it shows stripped is what it shows. */
  readonly bearsStrip: boolean;
  readonly sha256: string;
}

export function lookAt(judge: Judge, program: Program): Before {
  const { file } = program;
  seen(judge, file, file);
  const shown = seen(judge, file, file);
  const stripped = besides(file, 'stripped-only');
  const { status } = spawnSync('strip', ['-o', stripped, file]);
  const bearsStrip = status === 0 && seen(judge, stripped, file) === shown;
  rmSync(stripped, { force: true });
  const isSteady = seen(judge, file, file) === shown;
  return { program, shown, isSteady, list: listed(file), bearsStrip, sha256: sha256(file) };
}

function besides(file: string, what: string): string {
  return path.join(path.dirname(file), `.${path.basename(file)}.${what}`);
}

function judgeCopy(
  judge: Judge,
  before: Before,
  copy: string,
  withGdb: 'gdb' | 'no gdb',
): Omit<Judgement, 'possible' | 'undone'> {
  const { file } = before.program;
  const isSame = (each: string) => seen(judge, each, file) === before.shown;
  const same = isSame(copy) || isSame(copy);
  const stripped = `${copy}.stripped`;
  const { status } = spawnSync('strip', ['-o', stripped, copy]);
  const elf = status === 0 ? elfFileAt(stripped) : undefined;
  const paths = `${elf?.rpath}:${elf?.runpath}`;
  const isNamed = elf?.interpreter?.startsWith(judge.farm) === true && paths.includes(judge.farm);
  const bears = before.bearsStrip ? isNamed && isSame(stripped) : undefined;
  rmSync(stripped, { force: true });
  const sameSet = listed(copy) === before.list;
  const complaints = [
    ...(same || !before.isSteady ? [] : ['runs otherwise']),
    ...(sameSet ? [] : ['other libraries']),
    ...(bears === false ? ['not as before after strip'] : []),
  ];
  return {
    same: before.isSteady ? same : undefined,
    sameSet,
    stripped: before.isSteady ? bears : undefined,
    gdb: withGdb === 'gdb' ? gdbSees(copy) : undefined,
    growth: statSync(copy).size - statSync(file).size,
    complaints,
  };
}

function wantedFor(program: Program, farm: string, lift: boolean): WantedNames {
  const own = program.elf.runpath ?? program.elf.rpath;
  const names = transitive(program, farm);
  return {
    interpreter: path.join(farm, 'ld'),
    runPath: { tag: 'rpath', text: own === undefined ? farm : `${own}:${farm}` },
    renamed: new Map(),
    lifted: lift ? names : [],
  };
}

export function byUs(
  judge: Judge,
  before: Before,
  names: 'lifted' | 'own',
  withGdb: 'gdb' | 'no gdb',
): Judgement {
  const { file } = before.program;
  const source = openFileSource(file);
  const copy = besides(file, 'patched');
  const back = `${copy}.undone`;
  try {
    const wanted = wantedFor(before.program, judge.farm, names === 'lifted');
    const choice = chooseEdits(source, wanted, 'auto');
    if (choice.kind === 'impossible')
      return {
        possible: false,
        complaints: [`${choice.why} (${choice.payload?.kind ?? 'nothing appended'})`],
      };
    const undo = undoOf(source, choice.changes);
    copyWithChanges(file, copy, choice.changes, source.size);
    chmodSync(copy, 0o755);
    const now = openFileSource(copy);
    const structure = structureComplaints(source, now, { ...wanted, lifted: choice.lifted });
    now.close();
    const judged = judgeCopy(judge, before, copy, withGdb);
    copyWithUndo(copy, back, undo);
    const undone = sha256(back) === before.sha256;
    return { possible: true, ...judged, undone, complaints: [...structure, ...judged.complaints] };
  } finally {
    source.close();
    rmSync(copy, { force: true });
    rmSync(back, { force: true });
  }
}

/** `command`: of patchelf, with what has to stand before its own words. */
export function byPatchelf(
  judge: Judge,
  before: Before,
  [command = '', ...own]: readonly string[],
  withGdb: 'gdb' | 'no gdb',
): Judgement {
  const { file } = before.program;
  const copy = besides(file, 'patched');
  const { interpreter = '', runPath } = wantedFor(before.program, judge.farm, false);
  const names = ['--set-interpreter', interpreter, '--set-rpath', runPath?.text ?? ''];
  try {
    const { status } = spawnSync(command, [...own, ...names, '--output', copy, file], { timeout: 600_000 });
    if (status !== 0) return { possible: false, complaints: [`patchelf ends with ${status}`] };
    chmodSync(copy, 0o755);
    return { possible: true, ...judgeCopy(judge, before, copy, withGdb) };
  } finally {
    rmSync(copy, { force: true });
  }
}
