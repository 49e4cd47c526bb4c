// An error of a place → whether work goes on in the next one; real errors where the machine can make them.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import {
  createDirectories,
  type Directories,
  isUnwritable,
  temporaryDirectories,
  whyUnwritable,
} from '../../src/host/directories.ts';
import { systemFailure } from '../../src/host/errors.ts';
import { planKey } from '../../src/plan/plan-format.ts';
import { needTool } from '../launcher/tool-fixture.ts';
import { scratchDirectory } from '../store/compiled-library.ts';

const scratch = scratchDirectory();
const UID = process.geteuid?.() ?? 0;

/** The directories below a base that XDG_CACHE_HOME names. */
function directoriesBelow(base: string): Directories {
  const cache = path.join(base, 'nix-run-foreign/v1');
  const below = (name: string): string => path.join(cache, name);
  return {
    ...{ cache, state: cache, plans: below('plans'), farms: below('farms'), locks: below('locks') },
    ...{ roots: below('roots'), fingerprints: below('fingerprints'), catalogues: below('catalogues') },
  };
}

function failureOf(work: () => void): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  assert.fail('it worked');
}

/** Bases in which no directory can be made, whoever asks. */
function badBases(): Record<string, { base: string; why: RegExp }> {
  writeFileSync(path.join(scratch, 'file'), '');
  symlinkSync('loop', path.join(scratch, 'loop'));
  return {
    'a base of 5,000 characters': { base: `/tmp/${'x/'.repeat(2500)}`, why: /the name is too long/ },
    'a name of 300 characters': { base: path.join(scratch, 'x'.repeat(300)), why: /the name is too long/ },
    '/proc/self': { base: '/proc/self', why: /no such file or directory/ },
    'a file': { base: path.join(scratch, 'file'), why: /not a directory/ },
    'a link to itself': {
      base: path.join(scratch, 'loop'),
      why: /symbolic links|something that is no directory/,
    },
  };
}

for (const [name, { base, why }] of Object.entries(badBases()))
  test(`${name}: the next place is tried, and the reason is said`, () => {
    const dirs = directoriesBelow(base);
    const error = failureOf(() => createDirectories(dirs, UID));
    assert.ok(isUnwritable(error, dirs), String(error));
    assert.match(whyUnwritable(dirs, error), why);
  });

test('a cache that is removed while it is worked in', () => {
  const dirs = directoriesBelow(path.join(scratch, 'gone'));
  const error = failureOf(() => openSync(path.join(dirs.plans, 'plan'), 'wx'));
  assert.ok(isUnwritable(error, dirs));
});

test('what no path was said of: a full disk, a broken one, too many open files', () => {
  const dirs = temporaryDirectories(4711);
  for (const code of ['ENOSPC', 'EDQUOT', 'EIO', 'EMFILE', 'ENFILE', 'EROFS', 'EACCES', 'EPERM'])
    assert.ok(isUnwritable(Object.assign(new Error(code), { code, syscall: 'write' }), dirs), code);
});

test('what is not about a place is no reason to go elsewhere', () => {
  const dirs = directoriesBelow(path.join(scratch, 'place'));
  mkdirSync(path.join(scratch, 'place'));
  const missing = failureOf(() => readFileSync(path.join(scratch, 'place-of-others/program')));
  assert.ok(!isUnwritable(missing, dirs));
  assert.ok(!isUnwritable(new TypeError('x is not a function'), dirs));
});

test('a failing disk with the program or the store on it is no reason to go elsewhere', () => {
  const dirs = directoriesBelow(path.join(scratch, 'place'));
  const failure = (code: string, syscall: string, paths: object = {}) =>
    Object.assign(new Error(code), { code, syscall, ...paths });
  for (const code of ['EIO', 'ESTALE', 'EMFILE'])
    assert.ok(!isUnwritable(failure(code, 'open', { path: '/share/bin/program' }), dirs));
  assert.ok(!isUnwritable(failure('EIO', 'read'), dirs));
  const link = { path: '/nix/store/x', dest: path.join(dirs.farms, 'x') };
  assert.ok(isUnwritable(failure('EIO', 'symlink', link), dirs), 'of two paths one is in the place');
});

test('an errno that nobody expected is told as what it is, a defect is not', () => {
  const fd = openSync('/proc/self/mem', 'r');
  const error = failureOf(() => readFileSync(fd));
  closeSync(fd);
  assert.match(systemFailure(error)?.message ?? '', /^read: input\/output error$/);
  const long = failureOf(() => mkdirSync(path.join(scratch, 'x'.repeat(300))));
  assert.match(systemFailure(long)?.message ?? '', /x: mkdir: the name is too long$/);
  assert.equal(systemFailure(new TypeError('x is not a function')), undefined);
});

test("the system's place is root's of outside for a user in a namespace of his own", {
  skip: UID !== 0 && 'needs root',
}, () => {
  needTool('setpriv', 'util-linux');
  const project = path.resolve(import.meta.dirname, '../..');
  const seenAt = '/srv';
  const text = `const { trustedSystemDirectories } = await import('${seenAt}/src/host/directories.ts');
    const { readStrategy, strategyFile } = await import('${seenAt}/src/plan/strategy.ts');
    const dirs = trustedSystemDirectories();
    console.log(dirs === undefined, dirs && readStrategy([dirs], '/opt/tool'));`;
  const place = '/var/lib/nix-run-foreign';
  const script = `set -e; umask 022
    mount --bind "$1" ${seenAt}; mount -t tmpfs none /var/lib
    mkdir -p ${place}/v1/plans ${place}/state/v1/roots ${place}/state/v1/strategies
    printf 'view\\n/opt/tool\\n' >${place}/state/v1/strategies/"$3"
    cd /
    exec setpriv --reuid=1234 --regid=1234 --clear-groups unshare -U -c "$2" --input-type=module -e "$4"`;
  const node = process.execPath.replace(`${project}/`, `${seenAt}/`);
  const words = ['-m', 'sh', '-c', script, 'sh', project, node, planKey('/opt/tool'), text];
  assert.equal(execFileSync('unshare', words, { encoding: 'utf8' }), 'false view\n');
});
