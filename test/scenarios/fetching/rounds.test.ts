// Candidates that look right and do not serve → a further round each, three at most, within the limit in sum.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeEach, test } from 'node:test';
import { treeText } from '../../../src/fingerprint/tree-file.ts';
import { providerOf } from '../../rig/binary-cache.ts';
import { ensureRig } from '../../rig/rig.ts';
import { serveDirectory } from '../../rig/web-server.ts';
import {
  exchangeForTests,
  fetching,
  isInStore,
  manage,
  openMachine,
  putFile,
  SIDECAR,
  startOver,
  withEnv,
  words,
} from '../travelling/machines.ts';
import { indexedCache, writeIndex } from './indexed-cache.ts';

const rig = await ensureRig('full');
const exchange = exchangeForTests();
const maker = await openMachine(rig, exchange);
const libraries = ['libjq.so.1', 'libonig.so.5'].map((name) => providerOf(rig, 'bookworm', name).path);

/** A store object that is called like a newer libjq, and whose library is none. Another text makes another object. */
async function addBogus(version: string, text = 'no library'): Promise<string> {
  const name = `libjq1-${version}`;
  const lib = path.join(exchange.directory, 'made', name, 'lib');
  mkdirSync(lib, { recursive: true });
  writeFileSync(path.join(lib, 'libjq.so.1'), `${text} of version ${version}\n`.repeat(100));
  const { status, stdout, stderr } = await maker.run({
    argv: ['nix-store', '--add', `${exchange.inRoot}/made/${name}`],
  });
  assert.equal(status, 0, stderr);
  return stdout.trim();
}

const bogus = [await addBogus('99.3'), await addBogus('99.2'), await addBogus('99.1')];
const twins = [await addBogus('99.3', 'one'), await addBogus('99.3', 'two'), await addBogus('99.3', 'three')];
const heavy = await addBogus('99.0', 'much text '.repeat(300));
const cache = await indexedCache(maker, exchange, [...libraries, ...bogus, ...twins, heavy]);
const bare = await openMachine(rig, exchange);
const line = [bare.program, ...words];

/** An index that has the right library and others that are preferred to it. */
const withOthers = (left: readonly string[], url = cache.url) => {
  const packages = cache.packages.filter(
    ({ hash, name }) => !name.startsWith('libjq1-99') || left.some((each) => each.includes(hash)),
  );
  return withEnv(fetching([url], [cache.key.publicKey]), {
    NIX_RUN_FOREIGN_INDEX: writeIndex(exchange, `bogus-${left.length}`, packages),
  });
};

const withBogus = (count: number, url?: string) => withOthers(bogus.slice(0, count), url);

beforeEach(async () => {
  await startOver(bare);
  for (const each of [...libraries, ...bogus]) assert.equal(isInStore(bare, each), false, each);
});

for (const count of [1, 2])
  test(`${count} wrong ${count === 1 ? 'choice' : 'choices'} first, and it starts`, async () => {
    const { status, stdout, stderr } = await bare.start(line, withBogus(count));
    assert.deepEqual([status, stdout], [0, '42\n'], stderr);
    const fetched = stderr.split('\n').filter((each) => each.includes('fetched'));
    assert.equal(fetched.length, count + 1, stderr);
    assert.match(fetched[0] ?? '', /libjq1-99\.3/);
    assert.match(fetched.at(-1) ?? '', /libjq1-1\.6/);
    const text = await manage(bare, ['explain', bare.program], withBogus(count));
    assert.match(
      text,
      /^ {2}libjq\.so\.1: libjq1-1\.6\S* .*; the index (has it nowhere else|also has it in)/m,
    );
  });

test('three wrong choices are the most, and what was tried is told', async () => {
  const server = await serveDirectory(cache.directory);
  const { status, stderr } = await bare.start(line, withBogus(3, server.url));
  assert.equal(status, 126, stderr);
  assert.equal(stderr.match(/fetched /g)?.length, 3, stderr);
  const archives = server.requests.filter((each) => /^GET \/nar\//.test(each));
  assert.equal(archives.length, 3, 'each came once, and nothing more');
  await server.close();
  assert.equal(isInStore(bare, libraries[0] ?? ''), false);
  assert.match(
    stderr,
    /what the file index has first of libjq\.so\.1 does not serve: libjq1-99\.3, libjq1-99\.2, libjq1-99\.1\n.*choose \S+ --exclude libjq1-99\.3/,
  );
});

test('what is in the store already and does not serve uses no round', async () => {
  const [there = assert.fail()] = bogus;
  const argv = ['nix-store', '--realise', there] as const;
  const came = await bare.run({ argv: [...argv], ...withBogus(3) });
  assert.equal(came.status, 0, came.stderr);
  await bare.run({ argv: ['sleep', '1.1'] }); // Nix counts whole seconds
  const { status, stdout, stderr } = await bare.start(line, withBogus(3));
  assert.deepEqual([status, stdout], [0, '42\n'], stderr);
  const fetched = stderr.match(/fetched libjq1-[\d.]+/g);
  assert.deepEqual(fetched, ['fetched libjq1-99.2', 'fetched libjq1-99.1', 'fetched libjq1-1.6']);
});

test('the remedy for three wrong choices leaves what is next, also where it is called the same', async () => {
  const alike = withOthers([...bogus.slice(0, 1), ...twins]);
  const { status, stderr } = await bare.start(line, alike);
  assert.equal(status, 126, stderr);
  const [, file = ''] = /choose \S+ --pin libjq\.so\.1=(\S+)\n/.exec(stderr) ?? [];
  const left = [...bogus.slice(0, 1), ...twins].filter((each) => !isInStore(bare, each));
  assert.deepEqual(
    [file],
    left.map((each) => `${each}/lib/libjq.so.1`),
    stderr,
  );
});

test('rounds count against the limit in sum', async () => {
  const settings = withEnv(withBogus(1), { NIX_RUN_FOREIGN_FETCH_LIMIT: '0.5' });
  const { status, stderr } = await bare.start(line, settings);
  assert.equal(status, 126, stderr);
  assert.equal(stderr.match(/fetched /g)?.length, 1, stderr);
  assert.match(stderr, /more than the limit of 512 KiB/);
});

test('the limit is for all fingerprints in sum', async () => {
  const settings = withEnv(fetching([cache.url], [cache.key.publicKey]), {
    NIX_RUN_FOREIGN_FETCH_LIMIT: '1',
  });
  await manage(bare, ['resolve', bare.program], withEnv(settings, withBogus(0).env ?? {}));
  await manage(bare, ['fingerprint', 'export', bare.program]);
  await startOver(bare);
  const text = readFileSync(path.join(bare.homeDir, SIDECAR), 'utf8');
  const [jq = assert.fail()] = libraries;
  // It comes, and has another hash than this.
  putFile(bare, SIDECAR, text.replaceAll(jq, heavy));
  const { sha256 } = JSON.parse(text).program;
  const tree = 'apps/.nix-fingerprints.json';
  putFile(bare, tree, treeText([{ sha256, text }]));
  const { status, stderr } = await bare.start(line, withEnv(settings, { NIX_RUN_FOREIGN_INDEX: 'off' }));
  for (const each of [SIDECAR, tree]) rmSync(path.join(bare.homeDir, each));
  assert.equal(status, 126, stderr);
  assert.match(
    stderr,
    /to download after \d+ KiB that came before, .*, in sum more than the limit of 1\.0 MiB/,
  );
  assert.equal(isInStore(bare, heavy), true);
  assert.equal(isInStore(bare, jq), false);
});
