// Real loaders → what they say of themselves, compared with what `--help` and their builds say.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  loaderFactsOf,
  muslDirectoriesOf,
  REPORT_SEARCH_PATHS,
  readSearchPaths,
  withoutSearchReport,
} from '../../src/ldso/search-paths.ts';

const host = '/lib64/ld-linux-x86-64.so.2';

test('the directories and subdirectories of this machine are those that --help lists', () => {
  const facts = loaderFactsOf(host);
  assert.ok(facts);
  const help = execFileSync(host, ['--help'], { encoding: 'utf8' });
  const directories = [...help.matchAll(/^ {2}(\/\S+) \(system search path\)$/gm)].map(([, path]) => path);
  assert.deepEqual(facts.defaultDirectories, directories);
  const levels = [...help.matchAll(/^ {2}(x86-64-v\d) \(supported, searched\)$/gm)].map(
    ([, level]) => `glibc-hwcaps/${level}`,
  );
  assert.deepEqual(
    facts.subdirectories.filter((each) => each.startsWith('glibc-hwcaps/')),
    levels,
  );
  const version = /release version (\d+)\.(\d+)/.exec(
    execFileSync(host, ['--version'], { encoding: 'utf8' }),
  );
  assert.deepEqual(facts.version, version?.slice(1).map(Number));
  assert.equal(loaderFactsOf(host), facts);
});

test('a loader that lists a program tells the same of itself, and nothing else on stderr', () => {
  const libraryPath = `/usr/lib/none:/nowhere:${REPORT_SEARCH_PATHS.directories}`;
  const args = ['--inhibit-cache', '--library-path', libraryPath, '--list', '/usr/bin/env'];
  const { status, stdout, stderr } = spawnSync(host, args, {
    env: REPORT_SEARCH_PATHS.env,
    encoding: 'utf8',
  });
  assert.equal(status, 0);
  assert.match(stdout, /^\tlibc\.so\.6 => /m);
  const facts = loaderFactsOf(host);
  assert.ok(facts);
  assert.deepEqual(readSearchPaths(stderr, facts.version), facts);
  assert.equal(withoutSearchReport(stderr).trim(), '');
  assert.equal(
    withoutSearchReport('undefined symbol: x\t(/lib/libx.so)'),
    'undefined symbol: x\t(/lib/libx.so)',
  );
});

test('no loader, no facts', () => {
  assert.equal(loaderFactsOf('/bin/true'), undefined);
  assert.equal(loaderFactsOf('/nowhere/ld.so'), undefined);
});

test('a loader without $PLATFORM and without subdirectories', () => {
  const debug = [
    '      7:\tfind library=no-such-library.so [0]; searching',
    '      7:\t search path=/-plain:/-lib/lib64\t\t(LD_LIBRARY_PATH)',
    '      7:\t  trying file=/-plain/no-such-library.so',
    '      7:\t search path=/lib64:/usr/lib64\t\t(system search path)',
    '',
  ].join('\n');
  assert.deepEqual(readSearchPaths(debug, [2, 38]), {
    version: [2, 38],
    defaultDirectories: ['/lib64', '/usr/lib64'],
    subdirectories: [],
    lib: 'lib64',
    platform: undefined,
  });
});

test("musl's directories: from the file two levels above its name, else built in", () => {
  const root = mkdtempSync(join(tmpdir(), 'musl-facts-'));
  mkdirSync(join(root, 'etc'));
  const name = join(root, 'lib', 'ld-musl-test.so.1');
  assert.deepEqual(muslDirectoriesOf(name, 'test'), ['/lib', '/usr/local/lib', '/usr/lib']);
  writeFileSync(join(root, 'etc', 'ld-musl-test.path'), '/a:/b\n\n/c\n');
  assert.deepEqual(muslDirectoriesOf(name, 'test'), ['/a', '/b', '/c']);
  rmSync(join(root, 'etc', 'ld-musl-test.path'));
  mkdirSync(join(root, 'etc', 'ld-musl-test.path'));
  assert.deepEqual(muslDirectoriesOf(name, 'test'), []);
  rmSync(root, { recursive: true });
});
