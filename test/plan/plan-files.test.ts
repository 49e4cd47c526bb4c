// Plans on disk: what the resolver writes the real launcher follows, and both agree on when a plan no longer holds.
import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { createDirectories, type Directories, temporaryDirectories } from '../../src/host/directories.ts';
import { ForeignError } from '../../src/host/errors.ts';
import { identityOf } from '../../src/host/file-identity.ts';
import {
  listPlans,
  planFile,
  readPlan,
  removePlan,
  whyNotCurrent,
  writePlan,
} from '../../src/plan/plan-files.ts';
import type { LaunchPlan } from '../../src/plan/plan-format.ts';
import { openWorkshop, putScript, run } from '../launcher/launcher-fixture.ts';
import { asRoot } from '../launcher/tool-fixture.ts';

const uid = process.geteuid?.() ?? 0;
const workshop = await openWorkshop();
const base = path.join(workshop.place, 'v1');
const state = path.join(workshop.directory, 'state');
const dirs: Directories = {
  ...temporaryDirectories(uid),
  cache: base,
  plans: path.join(base, 'plans'),
  farms: path.join(base, 'farms'),
  locks: path.join(base, 'locks'),
  catalogues: path.join(base, 'catalogues'),
  roots: path.join(state, 'roots'),
  fingerprints: path.join(state, 'fingerprints'),
};
createDirectories(dirs, uid);
const program = path.join(workshop.directory, 'a program');
copyFileSync('/bin/echo', program);
const helper = putScript(workshop.directory, 'helper', 'printf "%s|" "$@"; env');

function plan(more: Partial<LaunchPlan> = {}): LaunchPlan {
  return {
    program,
    identity: identityOf(program),
    strategy: 'direct',
    directories: [],
    files: [],
    watched: [],
    absent: [],
    environment: [],
    argv: [],
    ...more,
  };
}

const fresh = (name: string): string => path.join(workshop.directory, name);

test('a direct plan is followed', async () => {
  writePlan(dirs, plan());
  const outcome = await run(workshop, [program, 'one', 'two']);
  assert.deepEqual(outcome, { code: 0, signal: null, stdout: 'one two\n', stderr: '' });
});

test('a loader plan with every kind of record is followed', async () => {
  const [file, watched, directory] = [fresh('file'), fresh('watched one'), fresh('dir é')];
  for (const each of [file, watched]) writeFileSync(each, 'x');
  mkdirSync(directory, { mode: 0o700 });
  const full = plan({
    strategy: 'loader',
    root: fresh('root'),
    sha256: 'ab'.repeat(32),
    directories: [directory],
    files: [file],
    watched: [{ identity: identityOf(watched), path: watched }],
    absent: [fresh('absent'), `${file}/below a file`],
    execute: helper,
    environment: [
      ['FIRST', 'a=b c'],
      ['SECOND', ''],
    ],
    argv: [
      { kind: 'literal', text: helper },
      { kind: 'literal', text: '' },
      { kind: 'argv0' },
      { kind: 'library-path', list: '/farm:/dir' },
      { kind: 'program' },
    ],
  });
  writePlan(dirs, full);
  assert.equal(whyNotCurrent(full, uid), undefined);
  const env = { ...workshop.environment, LD_LIBRARY_PATH: '/users', FIRST: 'old' };
  const outcome = await run(workshop, [program, 'user arg'], { env });
  assert.equal(outcome.stderr, '');
  const [words, environment] = [outcome.stdout.split('|').slice(0, -1), outcome.stdout.split('|').at(-1)];
  assert.deepEqual(words, ['', program, '/users:/farm:/dir', program, 'user arg']);
  assert.match(environment ?? '', /^FIRST=a=b c$/m);
  assert.match(environment ?? '', /^SECOND=$/m);
});

test('what is read back is what was written, for this program only', () => {
  writePlan(dirs, plan({ files: ['/x'] }));
  assert.deepEqual(readPlan(dirs, program), plan({ files: ['/x'] }));
  const other = `${program}-other`;
  renameSync(planFile(dirs, program), planFile(dirs, other));
  assert.equal(readPlan(dirs, other), undefined);
  assert.equal(readPlan(dirs, program), undefined);
  rmSync(planFile(dirs, other));
});

test('a plan that the launcher would refuse for its size is not written, and what was there stays', () => {
  writePlan(dirs, plan());
  const absent = Array.from({ length: 9000 }, (_, i) => `/${'x'.repeat(120)}${i}`);
  assert.throws(
    () => writePlan(dirs, plan({ absent })),
    (error) => error instanceof ForeignError && error.code === 'large-plan',
  );
  assert.deepEqual(readPlan(dirs, program), plan());
});

test('a written plan is private and leaves nothing beside it', () => {
  writePlan(dirs, plan());
  assert.equal(lstatSync(planFile(dirs, program)).mode & 0o777, 0o600);
  assert.deepEqual(readdirSync(dirs.plans), [path.basename(planFile(dirs, program))]);
});

test('lists are sorted by program and pass over what is no plan', () => {
  const other = path.join(workshop.directory, 'Another');
  writePlan(dirs, plan({ program: other, identity: '1:2:3:4.5:6.7' }));
  writePlan(dirs, plan());
  writeFileSync(path.join(dirs.plans, '0123456789abcdef'), 'noise');
  writeFileSync(path.join(dirs.plans, 'README'), 'noise');
  mkdirSync(path.join(dirs.plans, 'fedcba9876543210'));
  assert.deepEqual(
    listPlans(dirs).map((each) => each.program),
    [other, program],
  );
  removePlan(dirs, other);
  removePlan(dirs, other);
  for (const name of ['0123456789abcdef', 'README', 'fedcba9876543210']) {
    rmSync(path.join(dirs.plans, name), { recursive: true });
  }
  assert.equal(listPlans(dirs).length, 1);
});

/** Each makes something of a good plan untrue. */
const changes: Record<
  string,
  (at: { file: string; watched: string; directory: string; absent: string }) => void
> = {
  nothing: () => {},
  'a file is gone': ({ file }) => rmSync(file),
  'a file is a dangling link': ({ file }) => {
    rmSync(file);
    symlinkSync('/nowhere', file);
  },
  'a watched file was touched': ({ watched }) => utimesSync(watched, 1, 1),
  'a watched file was replaced by an equal one': ({ watched }) => {
    copyFileSync(watched, `${watched}.new`);
    renameSync(`${watched}.new`, watched);
  },
  'a watched file is gone': ({ watched }) => rmSync(watched),
  'what must be absent is there': ({ absent }) => writeFileSync(absent, ''),
  'what must be absent is a dangling link': ({ absent }) => symlinkSync('/nowhere', absent),
  'what must be absent is a loop of links': ({ absent }) => symlinkSync(absent, absent),
  'a directory is gone': ({ directory }) => rmSync(directory, { recursive: true }),
  'a directory is a file': ({ directory }) => {
    rmSync(directory, { recursive: true });
    writeFileSync(directory, '');
  },
  'a directory is a link': ({ directory }) => {
    renameSync(directory, `${directory}.real`);
    symlinkSync(`${directory}.real`, directory);
  },
  'a directory can be written by the group': ({ directory }) => chmodSync(directory, 0o770),
  'a directory can be written by all': ({ directory }) => chmodSync(directory, 0o707),
  'a directory may be read by all': ({ directory }) => chmodSync(directory, 0o755),
  'the program was touched': () => utimesSync(program, 5, 5),
  'the program was touched before 1970': () => utimesSync(program, -1.5, -1.5),
  ...(uid === 0
    ? {
        'a directory belongs to somebody else': ({ directory }) => chownSync(directory, 65534, 65534),
        'a file belongs to somebody else': ({ file }) => chownSync(file, 65534, 65534),
      }
    : {}),
};

for (const [what, change] of Object.entries(changes)) {
  test(`launcher and resolver agree when ${what}`, async () => {
    const at = {
      file: fresh(`f ${what}`),
      watched: fresh(`w ${what}`),
      directory: fresh(`d ${what}`),
      absent: fresh(`a ${what}`),
    };
    for (const each of [at.file, at.watched]) writeFileSync(each, 'x');
    mkdirSync(at.directory, { mode: 0o700 });
    const good = plan({
      files: [at.file],
      directories: [at.directory],
      watched: [{ identity: identityOf(at.watched), path: at.watched }],
      absent: [at.absent],
    });
    writePlan(dirs, good);
    change(at);
    const outcome = await run(workshop, [program, 'hit']);
    const followed = outcome.stdout === 'hit\n';
    assert.equal(
      whyNotCurrent(good, uid) === undefined,
      followed,
      `${whyNotCurrent(good, uid)}; ${outcome.stderr}`,
    );
    // The identity that the resolver computes for the changed files is the launcher's own.
    if (what.startsWith('the program')) {
      assert.equal(followed, false);
      writePlan(dirs, plan());
      assert.equal((await run(workshop, [program, 'hit'])).stdout, 'hit\n');
    }
  });
}

/** Each makes the launcher distrust the plan's file itself. */
const distrusted: Record<string, (file: string) => void> = {
  'the group may write it': (file) => chmodSync(file, 0o660),
  'all may write it': (file) => chmodSync(file, 0o602),
  'it is a link': (file) => {
    renameSync(file, `${file}.real`);
    symlinkSync(`${file}.real`, file);
  },
  'it is cut': (file) => truncateSync(file, lstatSync(file).size - 1),
  'it is empty': (file) => truncateSync(file, 0),
  'it is too large': (file) => {
    const text = readFileSync(file, 'utf8');
    writeFileSync(file, text.replace(/\.\0$/, `A${'x'.repeat(1 << 20)}\0.\0`));
  },
  'it is a directory': (file) => {
    rmSync(file);
    mkdirSync(file);
  },
  ...(uid === 0 ? { 'it belongs to somebody else': (file) => chownSync(file, 65534, 65534) } : {}),
};

for (const [what, change] of Object.entries(distrusted)) {
  test(`a plan the launcher distrusts is none for the resolver, and is replaced: ${what}`, async () => {
    const file = planFile(dirs, program);
    rmSync(file, { recursive: true, force: true });
    writePlan(dirs, plan());
    change(file);
    assert.notEqual((await run(workshop, [program, 'hit'])).stdout, 'hit\n');
    assert.equal(readPlan(dirs, program), undefined);
    writePlan(dirs, plan());
    assert.equal((await run(workshop, [program, 'hit'])).stdout, 'hit\n');
  });
}

test('a plan that relies on a rule of binfmt_misc does not hold where the rule hands over nothing', () => {
  const rules = fresh('binfmt_misc');
  const [status, rule] = ['status', 'a-rule'].map((name) => path.join(rules, name)) as [string, string];
  mkdirSync(rules);
  const hands = (first: string, flags: string) =>
    writeFileSync(rule, `${first}\ninterpreter /opt/launcher\nflags: ${flags}\n`);
  const off = `${rule} is off, or another now`;
  const why = () => whyNotCurrent(plan({ rule }), uid);
  assert.equal(why(), `${rule} is gone`);
  hands('enabled', 'PF');
  assert.equal(why(), off, 'binfmt_misc does not say that it is on');
  writeFileSync(status, 'enabled\n');
  assert.equal(why(), undefined);
  for (const [first, flags] of [
    ['disabled', 'PF'],
    ['enabled', 'LF'],
  ] as const) {
    hands(first, flags);
    assert.equal(why(), off);
  }
  hands('enabled', 'PF');
  writeFileSync(status, 'disabled\n');
  assert.equal(why(), off);
});

test('no file at all is agreed to be a change', asRoot, () => {
  assert.equal(whyNotCurrent(plan({ program: '/nowhere' }), uid), 'the program changed');
});
