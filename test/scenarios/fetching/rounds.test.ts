// Candidates that look right and do not serve → a further round each, three at most, within the limit in sum.
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeEach, test } from 'node:test';
import { providerOf } from '../../rig/binary-cache.ts';
import { ensureRig } from '../../rig/rig.ts';
import { serveDirectory } from '../../rig/web-server.ts';
import {
  exchangeForTests,
  fetching,
  isInStore,
  manage,
  openMachine,
  startOver,
  withEnv,
  words,
} from '../travelling/machines.ts';
import { indexedCache, writeIndex } from './indexed-cache.ts';

const rig = await ensureRig('full');
const exchange = exchangeForTests();
const maker = await openMachine(rig, exchange);
const libraries = ['libjq.so.1', 'libonig.so.5'].map((name) => providerOf(rig, 'bookworm', name).path);

/** A store object that is called like a newer libjq, and whose library is none. */
async function addBogus(version: string): Promise<string> {
  const name = `libjq1-${version}`;
  const lib = path.join(exchange.directory, 'made', name, 'lib');
  mkdirSync(lib, { recursive: true });
  writeFileSync(path.join(lib, 'libjq.so.1'), `no library of version ${version}\n`.repeat(100));
  const { status, stdout, stderr } = await maker.run({
    argv: ['nix-store', '--add', `${exchange.inRoot}/made/${name}`],
  });
  assert.equal(status, 0, stderr);
  return stdout.trim();
}

const bogus = [await addBogus('99.3'), await addBogus('99.2'), await addBogus('99.1')];
const cache = await indexedCache(maker, exchange, [...libraries, ...bogus]);
const bare = await openMachine(rig, exchange);
const line = [bare.program, ...words];

/** An index that has the right library and so many others that are preferred to it. */
const withBogus = (count: number, url = cache.url) => {
  const left = bogus.slice(0, count);
  const packages = cache.packages.filter(
    ({ hash, name }) => !name.startsWith('libjq1-99') || left.some((each) => each.includes(hash)),
  );
  return withEnv(fetching([url], [cache.key.publicKey]), {
    NIX_RUN_FOREIGN_INDEX: writeIndex(exchange, `bogus-${count}`, packages),
  });
};

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

test('rounds count against the limit in sum', async () => {
  const settings = withEnv(withBogus(1), { NIX_RUN_FOREIGN_FETCH_LIMIT: '0.5' });
  const { status, stderr } = await bare.start(line, settings);
  assert.equal(status, 126, stderr);
  assert.equal(stderr.match(/fetched /g)?.length, 1, stderr);
  assert.match(stderr, /more than the limit of 512 KiB/);
});
