// explain, explain --why and graph on a real program: who loaded what, who won and why, a diamond, a conflict.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import type { Picture } from '../../../src/cli/graph/picture.ts';
import { ensureRig } from '../../rig/rig.ts';
import { homeInRoot } from '../../rig/root.ts';
import { programNeeding, stand } from '../closest/needy-programs.ts';
import { compile, compileLibrary } from '../compile.ts';
import { openShop } from '../diamonds/shop.ts';
import { calls, forwards, returns } from '../diamonds/sources.ts';
import { copyHome, foreign, onHost } from '../foreign-files.ts';
import { openToolRoot } from '../tool.ts';

const rig = await ensureRig('full');
const root = await openToolRoot(rig);
const curl = foreign(rig, 'bookworm', 'curl');
const program = copyHome(root, curl, 'curl');

interface Candidate {
  readonly file: string;
  readonly object: string;
  readonly glibc: string | null;
  readonly chosen: boolean;
  readonly lost: { readonly criterion: string; readonly detail: string } | null;
}

interface Explained {
  readonly objects: readonly {
    readonly name: string;
    readonly file: string;
    readonly loadedBy: string | null;
    readonly neededBy: readonly string[];
    readonly candidates: number;
    readonly runnerUp: { readonly criterion: string } | null;
  }[];
}

async function manage(...words: string[]): Promise<string> {
  const { status, stdout, stderr } = await root.manage(words);
  assert.equal(status, 0, stderr);
  return stdout;
}

const why = async (soname: string) =>
  JSON.parse(await manage('explain', program, '--json', '--why', soname)) as {
    neededBy: { name: string; versions: string[] }[];
    candidates: Candidate[];
  };

test('the tree has every object once, in the order of the loader, below its first needer', async () => {
  const { objects } = JSON.parse(await manage('explain', program, '--json')) as Explained;
  assert.ok(objects.length > 20);
  const text = await manage('explain', program);
  for (const [i, { name, neededBy, loadedBy, file }] of objects.entries()) {
    assert.equal(text.split('\n').filter((line) => line.endsWith(`─ ${name}  [${i + 1}]`)).length, 1, name);
    assert.ok(text.includes(file), file);
    assert.equal(loadedBy, neededBy[0] ?? null);
  }
  const before = new Set(['curl']);
  for (const { name, loadedBy } of objects) {
    assert.ok(loadedBy === null || before.has(loadedBy), `${name} by ${loadedBy}`);
    before.add(name);
  }
  const losers = objects.filter(({ runnerUp }) => runnerUp !== null);
  assert.ok(losers.length > 10);
  assert.match(text, /taken over libcurl\S+: \S/);
  for (const line of text.split('\n').slice(12)) assert.ok(line.length <= 130, line);
});

test('--why tells every candidate and what spoke against it, and the versions each needer needs', async () => {
  const { neededBy, candidates } = await why('libssl.so.3');
  assert.ok(
    neededBy.some(({ name, versions }) => name === 'libcurl.so.4' && versions.includes('OPENSSL_3.0.0')),
  );
  assert.ok(candidates.length >= 3);
  assert.deepEqual(candidates.map(({ chosen }) => chosen).indexOf(true), 0);
  for (const { chosen, lost, object } of candidates) assert.equal(lost === null, chosen, object);
  const criteria = new Set(candidates.map(({ lost }) => lost?.criterion));
  assert.ok(criteria.has('other glibc') || criteria.has('wrong version'), [...criteria].join());
  const text = await manage('explain', program, '--why', 'libssl.so.3');
  assert.match(text, /^ {2}libcurl\.so\.4: OPENSSL_/m);
  assert.match(text, /^ {2}\* lib/m);
});

test('--why of the libc weighs the loaders', async () => {
  const { candidates } = await why('libc.so.6');
  assert.equal(candidates.filter(({ chosen }) => chosen).length, 1);
  assert.ok(candidates.length >= 4);
  assert.ok(candidates.some(({ lost }) => /were built with it|lacks GLIBC/.test(lost?.detail ?? '')));
});

test('--why of what is not loaded is refused', async () => {
  const { status, stderr } = await root.manage(['explain', program, '--why', 'libnot.so.1']);
  assert.equal(status, 125);
  assert.match(stderr, /does not load libnot\.so\.1\n {2}\S/);
});

test('a diamond: two parents whose run paths name different files for one name', async () => {
  const [curls, sshs] = [(await why('libcurl.so.4')).candidates, (await why('libssh2.so.1')).candidates];
  const curlFile = curls[0]?.file ?? assert.fail();
  const other = sshs.find(({ lost }) => lost?.criterion === 'other glibc') ?? assert.fail();
  await manage('choose', '--pin', `libcurl.so.4=${curlFile}`, '--pin', `libssh2.so.1=${other.file}`, program);
  const { nodes, edges } = JSON.parse(await manage('graph', program, '--json')) as Picture;
  const diamonds = nodes.filter(({ diamond }) => diamond).map(({ id }) => id);
  assert.ok(diamonds.includes('libcrypto.so.3'), diamonds.join());
  const overridden = edges.filter(({ kind }) => kind === 'override').map(({ from, to }) => `${from} ${to}`);
  assert.ok(overridden.includes('libssh2.so.1 libcrypto.so.3'), overridden.join());
  assert.ok(new Set(nodes.flatMap(({ glibc }) => glibc ?? [])).size > 1);
  assert.match(await manage('graph', program), /run paths disagree/);
  assert.match((await root.start([program, ...curl.args])).stdout, curl.expect);
  await manage('choose', '--reset', program);
});

test('graph: SVG to a file by its ending, the other formats to stdout, each with every object', async () => {
  const { objects } = JSON.parse(await manage('explain', program, '--json')) as Explained;
  assert.equal(await manage('graph', program, '-o', `${homeInRoot}/curl.svg`), '');
  const texts = [
    readFileSync(path.join(root.homeDir, 'curl.svg'), 'utf8').replaceAll('&#45;', '-'),
    await manage('graph', program, '--format', 'dot'),
    await manage('graph', program, '--format', 'mermaid'),
    await manage('graph', program, '--format', 'json'),
  ];
  assert.match(texts[0] ?? '', /^<\?xml[\s\S]*<\/svg>\s*$/);
  for (const text of texts) for (const { name } of objects) assert.ok(text.includes(name), name);
  assert.equal(await manage('graph', program, '--format', 'dot'), texts[1]);
});

test('graph: a file that cannot be written, and a format nobody knows', async () => {
  const unwritable = await root.manage(['graph', program, '-o', '/proc/nowhere/x.svg']);
  assert.equal(unwritable.status, 125);
  assert.match(unwritable.stderr, /^nix-foreign: \/proc\/nowhere\/x\.svg: .+\n {2}.+\n$/);
  assert.equal(existsSync(onHost(root, `${homeInRoot}/x.svg`)), false);
  assert.match((await root.manage(['graph', program, '--format', 'png'])).stderr, /take one of: svg, dot/);
});

test('graph: a closest match that another library needs by its own soname hangs on both', async () => {
  const shop = openShop(root);
  const old = stand(root, 'libclo.so.7', returns('clo', 7));
  const clo = await shop.library('clo-8', { soname: 'libclo.so.8', source: returns('clo', 8) });
  const user = await shop.library('clouser-1', {
    soname: 'libclouser.so.1',
    source: forwards('clouser', 'clo'),
    needs: [clo],
  });
  const both = programNeeding(root, 'clop', calls('clo', 'clouser'), [old, user.host]);
  assert.equal((await root.start([both])).stdout, '8 8\n');
  const { edges } = JSON.parse(await manage('graph', both, '--json')) as Picture;
  const drawn = edges.map(({ from, kind, to }) => `${from} ${kind} ${to}`);
  assert.ok(drawn.includes('clop load libclo.so.7'), drawn.join());
  assert.ok(drawn.includes('libclouser.so.1 need libclo.so.7'), drawn.join());
});

test('graph: a conflict can be drawn', async () => {
  const stub = compileLibrary(
    path.join(root.homeDir, 'stub/libnobody.so.1'),
    'libnobody.so.1',
    'int f(void) { return 1; }',
  );
  const needy = compile(path.join(root.homeDir, 'needy'), 'int f(void); int main(void) { return f(); }', [
    stub,
  ]);
  const inRoot = path.join(homeInRoot, path.basename(needy));
  assert.equal((await root.start([inRoot])).status, 126);
  const picture = JSON.parse(await manage('graph', inRoot, '--json')) as Picture;
  assert.deepEqual(
    picture.nodes.map(({ kind, lines }) => [kind, lines[0]]),
    [
      ['program', 'needy'],
      ['lack', 'libnobody.so.1'],
    ],
  );
  assert.equal(picture.conflict.length, 1);
  assert.match(await manage('graph', inRoot), /libnobody\.so\.1[\s\S]*<\/svg>/);
});
