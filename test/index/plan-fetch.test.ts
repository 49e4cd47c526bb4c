// Names, an index and what Nix answers → what is fetched, asked, refused, and shown.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { newestFirst } from '../../src/candidates/rank.ts';
import { isInForeground } from '../../src/index/ask-on-terminal.ts';
import {
  decideFetch,
  type FetchPolicy,
  freeSpace,
  inBinaryUnits,
  policyAfter,
} from '../../src/index/fetch-policy.ts';
import { absentText, fetchedText, fetchingText } from '../../src/index/fetch-words.ts';
import { askFor } from '../../src/index/obtainable.ts';
import { type FetchContext, type FetchPlan, planFetch } from '../../src/index/plan-fetch.ts';
import { progressLine, readingText } from '../../src/index/progress-line.ts';
import { readSource } from '../../src/index/read-source.ts';
import { openSideCatalogue } from '../../src/index/side-catalogue.ts';
import type { FetchPreview, Previewed } from '../../src/store/preview-fetch.ts';
import { FROM_SOURCES } from '../from-sources.ts';
import { databaseOf, hashOf, type IndexedPackage, treeOf } from '../rig/file-index.ts';

const scratch = mkdtempSync(path.join(tmpdir(), 'nix-run-foreign-plan-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

const lib = (number: number, name: string, ...sonames: string[]): IndexedPackage => ({
  hash: hashOf(number),
  name,
  attr: name.replace(/-\d.*/, ''),
  tree: treeOf(Object.fromEntries(sonames.map((each) => [`lib/${each}`, 9000]))),
});
const file = path.join(scratch, 'files');
writeFileSync(
  file,
  databaseOf([
    lib(1, 'libone-1.0', 'libone.so.1'),
    lib(2, 'libone-2.0', 'libone.so.1'),
    lib(3, 'libtwo-1.0', 'libtwo.so.1', 'libthree.so.1'),
    lib(4, 'libpcre-8', 'libpcre.so.1'),
    { ...lib(5, 'libonly-1.0', 'libonly.so.1'), name: 'libonly-1.0-fhs' },
    ...Array.from({ length: 40 }, (_, i) => lib(100 + i, `libmany-1.${i}`, 'libmany.so.1')),
    ...Array.from({ length: 2000 }, (_, i) => lib(1000 + i, `libflood-1.${i}`, 'libflood.so.1')),
  ]),
);
const place = {
  file: path.join(scratch, 'side.sqlite'),
  lock: path.join(scratch, 'lock'),
  storeDir: '/nix/store',
};
await readSource(place, file, { progress: () => {}, verify: () => ({ kind: 'accepted' }) });
const catalogue = openSideCatalogue(place.file, place.storeDir) ?? assert.fail('no catalogue');
after(() => catalogue.close());
const at = (number: number, name: string) => `/nix/store/${hashOf(number)}-${name}`;
const glibc = at(90, 'glibc-2.42-9');

const MIB = 1024 ** 2;
const previewOf = (paths: readonly string[], unknown: readonly string[] = []): Previewed => ({
  kind: 'previewed',
  preview: {
    paths: paths.filter((each) => !unknown.includes(each)).sort(),
    download: 15.6 * MIB,
    unpacked: 40 * MIB,
    unknown,
    builds: [],
  },
});

async function plan(
  names: readonly string[],
  answer: (paths: readonly string[]) => Previewed,
  asked: string[][] = [],
  opinion: FetchContext['opinion'] = () => 'none',
): Promise<FetchPlan> {
  const context: FetchContext = {
    catalogue,
    target: { system: 'x86_64-linux', triple: 'x86_64-linux-gnu', bits: 64 },
    newestFirst,
    opinion,
    isLocal: () => false,
    copies: async () => ({ copies: [], unreachable: undefined }),
    preview: (paths) => {
      asked.push([...paths]);
      return Promise.resolve(answer(paths));
    },
  };
  return await planFetch(names, context);
}

test('all names in one question, as few paths as may be', async () => {
  const asked: string[][] = [];
  const planned = await plan(
    ['libtwo.so.1', 'libone.so.1', 'libthree.so.1', 'libnone.so.1'],
    (paths) => previewOf([...paths, glibc]),
    asked,
  );
  assert.ok(planned.kind === 'planned', JSON.stringify(planned));
  assert.deepEqual(asked, [[at(2, 'libone-2.0'), at(3, 'libtwo-1.0')].sort()]);
  assert.deepEqual(
    planned.chosen.map(({ name, candidate }) => [name, candidate.storePath]),
    [
      ['libone.so.1', at(2, 'libone-2.0')],
      ['libthree.so.1', at(3, 'libtwo-1.0')],
      ['libtwo.so.1', at(3, 'libtwo-1.0')],
    ],
  );
  assert.deepEqual(planned.glibcs, ['glibc-2.42-9']);
  assert.deepEqual(
    planned.absent.map(({ name }) => name),
    ['libnone.so.1'],
  );
});

test('what no cache has is left, and the next candidate taken', async () => {
  const asked: string[][] = [];
  const gone = at(2, 'libone-2.0');
  const planned = await plan(
    ['libone.so.1', 'libtwo.so.1'],
    (paths) => previewOf(paths, paths.includes(gone) ? [gone] : []),
    asked,
  );
  assert.ok(planned.kind === 'planned');
  assert.deepEqual(planned.paths, [at(1, 'libone-1.0'), at(3, 'libtwo-1.0')].sort());
  assert.deepEqual(planned.unavailable, [gone]);
  assert.equal(asked.length, 2);
});

test('when no cache has anything', async () => {
  const planned = await plan(['libone.so.1'], (paths) => previewOf(paths, paths));
  assert.ok(planned.kind === 'nothing', JSON.stringify(planned));
  assert.deepEqual(planned.unavailable, [at(1, 'libone-1.0'), at(2, 'libone-2.0')].sort());
});

const many = (i: number) => at(100 + i, `libmany-1.${i}`);

test('an old index: dozens of candidates that no cache has, before the one that is there', async () => {
  const asked: string[][] = [];
  const planned = await plan(
    ['libmany.so.1', 'libtwo.so.1'],
    (paths) =>
      previewOf(
        paths,
        paths.filter((each) => each.includes('libmany') && each !== many(3)),
      ),
    asked,
  );
  assert.ok(planned.kind === 'planned', JSON.stringify(planned));
  assert.deepEqual(planned.paths, [many(3), at(3, 'libtwo-1.0')].sort());
  assert.ok(asked.length <= 9, `${asked.length} questions`);
});

test('a name whose every candidate is gone keeps nobody from the others, and nobody asks for ever', async () => {
  const asked: string[][] = [];
  const planned = await plan(
    ['libflood.so.1', 'libtwo.so.1'],
    (paths) =>
      previewOf(
        paths,
        paths.filter((each) => each.includes('libflood')),
      ),
    asked,
  );
  assert.ok(planned.kind === 'planned', JSON.stringify(planned).slice(0, 300));
  assert.deepEqual(planned.paths, [at(3, 'libtwo-1.0')]);
  const [lost] = planned.absent;
  assert.equal(lost?.name, 'libflood.so.1');
  assert.match(
    absentText(lost ?? assert.fail(), 'tool').why,
    /^the file index has libflood\.so\.1 2000 times, none of which serves: \d+ in no cache, \d+ not asked for$/,
  );
  assert.ok(asked.length <= 12, `${asked.length} questions`);
  assert.ok(Math.max(...asked.map((each) => each.length)) <= 128, 'and not for all at once');
});

test('a closure with a hole: its owner is found, and the next candidate taken', async () => {
  const broken = at(2, 'libone-2.0');
  const hole = at(99, 'gone');
  const names = ['libone.so.1', 'libtwo.so.1', 'libpcre.so.1', 'libmany.so.1'];
  const answer = (paths: readonly string[]) => previewOf(paths, paths.includes(broken) ? [hole] : []);
  const asked: string[][] = [];
  const planned = await plan(names, answer, asked);
  assert.ok(planned.kind === 'planned', JSON.stringify(planned));
  assert.deepEqual(
    planned.chosen.map(({ name, candidate }) => [name, candidate.storePath]),
    [
      ['libmany.so.1', many(39)],
      ['libone.so.1', at(1, 'libone-1.0')],
      ['libpcre.so.1', at(4, 'libpcre-8')],
      ['libtwo.so.1', at(3, 'libtwo-1.0')],
    ],
  );
  assert.deepEqual(planned.unavailable, [broken]);
  assert.ok(asked.length <= 8, `${asked.length} questions`);
});

test('what Nix may not do: build, or bring half of a closure', async () => {
  const build = await plan(['libtwo.so.1'], (paths) => {
    const { preview } = previewOf(paths) as { preview: FetchPreview };
    return { kind: 'previewed', preview: { ...preview, builds: [`${at(5, 'x')}.drv`] } };
  });
  assert.deepEqual(build.kind === 'nothing' && build.unavailable, [at(3, 'libtwo-1.0')]);
  const half = await plan(['libtwo.so.1'], (paths) => previewOf(paths, [at(99, 'gone')]));
  assert.deepEqual(half.kind === 'nothing' && half.unavailable, [at(3, 'libtwo-1.0')]);
  const down = await plan(['libone.so.1'], () => ({ kind: 'failed', why: 'no daemon' }));
  assert.deepEqual(down, { kind: 'failed', why: 'no daemon' });
});

test('a cache that does not answer is not one that lacks it', async () => {
  const asked: string[][] = [];
  const unreachable = 'cache.example.org cannot be reached: Could not resolve hostname';
  const all = (paths: readonly string[]) => ({ ...previewOf(paths, paths), unreachable });
  assert.deepEqual(await plan(['libone.so.1', 'libtwo.so.1'], all, asked), {
    kind: 'failed',
    why: unreachable,
  });
  assert.equal(asked.length, 2, 'without a network it is asked for all, and once for what is behind');
  const part = (paths: readonly string[]) => ({
    ...previewOf(paths, paths.includes(at(2, 'libone-2.0')) ? [at(2, 'libone-2.0')] : []),
    unreachable,
  });
  assert.equal((await plan(['libone.so.1', 'libtwo.so.1'], part)).kind, 'planned');
  const alone = await plan(['libone.so.1'], part);
  assert.ok(alone.kind === 'planned', JSON.stringify(alone));
  assert.deepEqual(alone.paths, [at(1, 'libone-1.0')], 'another cache has what is behind');
});

test('Nix that fails while it is asked for parts says nothing of any of them', async () => {
  const answer = await askFor([many(1), many(2), many(3)], {
    copies: async () => ({ copies: [], unreachable: undefined }),
    preview: async (part) =>
      part.length < 3 ? { kind: 'failed', why: 'it took too long' } : previewOf(part, [at(99, 'gone')]),
  });
  assert.deepEqual(answer, { kind: 'failed', why: 'it took too long' });
});

test('what Nix was not asked for is not called lost', async () => {
  const paths = Array.from({ length: 64 }, (_, i) => many(i));
  let questions = 0;
  const answer = await askFor(paths, {
    copies: async () => ({ copies: [], unreachable: undefined }),
    preview: async (part) => {
      questions += 1;
      return previewOf(part, [at(99, 'gone')]);
    },
  });
  assert.ok(answer.kind === 'asked', JSON.stringify(answer));
  assert.equal(questions, 25);
  assert.ok(answer.lost.length > 0 && answer.lost.length < 25, `${answer.lost.length} lost`);
  assert.deepEqual([...answer.lost, ...answer.unasked].sort(), [...paths].sort());
});

test('no name, no question', async () => {
  const asked: string[][] = [];
  assert.equal(
    (await plan(['libnone.so.1', 'libcuda.so.1'], (paths) => previewOf(paths), asked)).kind,
    'nothing',
  );
  assert.equal((await plan([], (paths) => previewOf(paths), asked)).kind, 'nothing');
  assert.deepEqual(asked, []);
});

test('the policy', () => {
  const preview: FetchPreview = {
    paths: [glibc, at(1, 'libone-1.0')],
    download: 312 * MIB,
    unpacked: 1126 * MIB,
    unknown: [],
    builds: [],
  };
  const decide = (policy: Partial<FetchPolicy>, room: number | undefined, canAsk: boolean) =>
    decideFetch('tool', preview, { fetch: 'ask', limit: 100 * MIB, spent: 0, ...policy }, { room, canAsk });
  const text =
    'tool needs 2 packages (glibc-2.42-9 among them) that are not in the store: 312 MiB to download, 1.1 GiB unpacked';
  assert.deepEqual(decide({}, undefined, true), { kind: 'ask', question: `${text}. Fetch them? [Y/n] ` });
  assert.deepEqual(decide({}, undefined, false), {
    kind: 'refuse',
    why: `${text}, more than the limit of 100 MiB`,
    remedy: 'allow it: nix-foreign resolve --fetch tool, or fetch-limit in config.toml',
  });
  assert.equal(decide({ limit: 400 * MIB }, undefined, false).kind, 'go');
  assert.equal(
    decide({ limit: 400 * MIB, spent: 100 * MIB }, undefined, false).kind,
    'refuse',
    'the limit is for all rounds',
  );
  const later = { limit: 400 * MIB, spent: 100 * MIB };
  const inSum = text.replace('to download', 'to download after 100 MiB that came before');
  const asked = decide(later, undefined, true);
  assert.deepEqual(asked, { kind: 'ask', question: `${inSum}. Fetch them? [Y/n] ` });
  const told = decide(later, undefined, false);
  assert.ok(told.kind === 'refuse');
  assert.equal(told.why, `${inSum}, in sum more than the limit of 400 MiB`);
  assert.equal(decide({ fetch: 'always' }, undefined, false).kind, 'go');
  assert.equal(decide({ fetch: 'never', limit: 400 * MIB }, undefined, true).kind, 'refuse');
  assert.equal(
    decide({ fetch: 'always' }, 1126 * MIB, true).kind,
    'refuse',
    'room for less than a tenth more',
  );
  assert.equal(decide({ fetch: 'always' }, 1300 * MIB, true).kind, 'go');
  assert.ok((freeSpace('/') ?? 0) > 0);
  assert.equal(freeSpace('/nowhere/at/all'), undefined);
});

test('after an attempt: its bytes count, and what was allowed is not asked for again', () => {
  const before: FetchPolicy = { fetch: 'ask', limit: 9, spent: 1 };
  const { preview } = previewOf([glibc]) as { preview: FetchPreview };
  const after = (allowed: readonly string[], spent: number) =>
    policyAfter(before, { allowed: new Set(allowed), spent }, preview);
  assert.deepEqual(after([], 0), before);
  assert.deepEqual(after([at(1, 'libone-1.0')], 2), { fetch: 'ask', limit: 9, spent: 3 });
  assert.deepEqual(after([at(1, 'libone-1.0'), glibc], 2), { fetch: 'always', limit: 9, spent: 3 });
});

test('sizes', () => {
  const cases: [number, string][] = [
    [0, '0 B'],
    [1023, '1023 B'],
    [1024, '1.0 KiB'],
    [15.6 * MIB, '15.6 MiB'],
    [312 * MIB, '312 MiB'],
    [1.1 * 1024 * MIB, '1.1 GiB'],
    [5e15, '4547 TiB'],
  ];
  for (const [bytes, text] of cases) assert.equal(inBinaryUnits(bytes), text);
});

test('the lines', async () => {
  const planned = await plan(['libtwo.so.1', 'libone.so.1'], (paths) => previewOf(paths));
  assert.ok(planned.kind === 'planned');
  assert.equal(
    fetchingText(planned, { done: 10, expected: 20, from: '' }),
    'fetching libone.so.1, libtwo.so.1 (2 packages): 7.8 MiB of 15.6 MiB',
  );
  assert.equal(
    fetchingText(planned, { done: 0, expected: 0, from: '' }),
    'fetching libone.so.1, libtwo.so.1 (2 packages): 0 B of 15.6 MiB',
  );
  assert.equal(
    fetchedText(planned, 'https://cache.example.org'),
    'fetched libone-2.0, libtwo-1.0 (15.6 MiB) from cache.example.org',
  );
  assert.equal(readingText(0.419), 'reading the file index (only once): 41 %');
  const nothing = await plan(['libpcre.so.3', 'libone.so.9', 'libnone.so.1'], (paths) => previewOf(paths));
  assert.ok(nothing.kind === 'nothing');
  assert.deepEqual(
    nothing.absent.map((each) => absentText(each, '/opt/tool').why),
    [
      'the file index has no libnone.so.1',
      'the file index has no libone.so.9, but libone.so.1',
      "libpcre.so.3 is Debian's name; nixpkgs has libpcre.so.1, the same library",
    ],
  );
  assert.deepEqual(
    nothing.absent.map((each) => absentText(each, '/opt/tool').remedy),
    [
      'bring the package by hand, or take a newer index',
      'take a newer index; or see what has another version: nix-foreign index find libone.so.1',
      'take libpcre.so.1: nix-foreign choose /opt/tool --pin libpcre.so.3=/nix/store/.../lib/libpcre.so.1',
    ],
  );
});

test('what the index has and what does not serve is not called absent', async () => {
  const absent = async (name: string, opinion: FetchContext['opinion'] = () => 'none') => {
    const planned = await plan([name], (paths) => previewOf(paths), [], opinion);
    assert.ok(planned.kind === 'nothing', JSON.stringify(planned));
    return absentText(planned.absent[0] ?? assert.fail(), '/opt/tool');
  };
  assert.deepEqual(await absent('libonly.so.1'), {
    why: 'the file index has libonly.so.1 once, which does not serve: 1 in a tree of another distribution, or of one program',
    remedy: 'bring the package by hand, or take a newer index',
  });
  const said = await absent('libone.so.1', (storePath) => (storePath.endsWith('2.0') ? 'excluded' : 'tried'));
  assert.deepEqual(said, {
    why: 'the file index has libone.so.1 2 times, none of which serves: 1 excluded by your choice, 1 tried in vain',
    remedy: 'take your choice back: nix-foreign choose /opt/tool --reset',
  });
});

test('a progress line: after a second, not too often, wiped, and only on a terminal', () => {
  let [time, shown] = [0, ''];
  const output = (isTerminal: boolean) => ({
    isTerminal,
    now: () => time,
    write: (text: string) => {
      shown += text;
    },
  });
  const line = progressLine('tool', output(true));
  line.show('early');
  assert.equal(shown, '');
  time = 1000;
  line.show('one\u001b[2J');
  line.show('too soon');
  time = 1100;
  line.show('two');
  line.end();
  line.end();
  assert.equal(shown, '\r\u001b[Ktool: one?[2J\r\u001b[Ktool: two\r\u001b[K');
  shown = '';
  const quiet = progressLine('tool', output(false));
  time = 9000;
  quiet.show('x');
  quiet.end();
  assert.equal(shown, '');
});

test('who is in the foreground', () => {
  assert.equal(isInForeground('12 (a) b (c)) S 1 12 12 34816 12 0'), true);
  assert.equal(isInForeground('12 (node) S 1 13 12 34816 12 0'), false);
  assert.equal(isInForeground('12 (node) S 1 0 0 0 -1 0'), false);
  assert.equal(isInForeground('12 (node) S 1 0 0 0 0 0'), false, 'no terminal');
  assert.equal(isInForeground(''), false);
});

/** A terminal made by script(1), whose keyboard is our pipe; the program's own stdin is data. */
async function onTerminal(keys: string, words: string): Promise<string> {
  const program = path.join(import.meta.dirname, 'programs/ask-on-terminal.ts');
  const command = `echo data | ${process.execPath} ${FROM_SOURCES.join(' ')} ${program} ${words}`;
  const child = spawn('script', ['-qec', command, '/dev/null'], { stdio: ['pipe', 'pipe', 'inherit'] });
  let text = '';
  let isTyped = false;
  child.stdout.on('data', (piece) => {
    text += String(piece);
    if (!text.includes('[Y/n]') || isTyped) return;
    isTyped = true;
    child.stdin.write(keys);
  });
  await new Promise((resolve) => child.on('close', resolve));
  return text.replaceAll('\r', '');
}

test('a question on the terminal: yes, no, enter, nonsense', { timeout: 60_000 }, async () => {
  for (const [keys, expected] of [
    ['\n', 'yes'],
    ['y\n', 'yes'],
    ['YES\n', 'yes'],
    ['n\n', 'no'],
    ['what\nno\n', 'no'],
    ['a\nb\nc\n', 'no'],
  ] as const) {
    assert.match(
      await onTerminal(keys, 'ask'),
      new RegExp(`Fetch them\\? \\[Y/n\\][\\s\\S]*answer: ${expected}, data: data`),
      keys,
    );
  }
  assert.match(await onTerminal('\u0004', 'ask'), /answer: unasked, data: data/);
});

test('a question stands on a line of its own', { timeout: 60_000 }, async () => {
  const text = await onTerminal('y\n', 'fetch');
  assert.ok(text.includes('3 of 9 store paths\u001b[Ktool needs 1 package '), text);
  assert.match(text, /answer: yes, data: data/);
});

test('a question where stderr goes elsewhere; none from the background', { timeout: 60_000 }, async () => {
  assert.match(await onTerminal('y\n', 'ask 2>/dev/null'), /Fetch them\? \[Y\/n\][\s\S]*answer: yes/);
  const program = path.join(import.meta.dirname, 'programs/ask-on-terminal.ts');
  const start = `${process.execPath} --disable-warning=ExperimentalWarning ${program} ask`;
  const child = spawn('script', ['-qec', `bash -mc "${start} & wait"`, '/dev/null'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.on('data', (piece) => {
    text += String(piece);
  });
  await new Promise((resolve) => child.on('close', resolve));
  assert.match(text, /cannot ask/);
});

test('without a terminal nobody is asked', async () => {
  const program = path.join(import.meta.dirname, 'programs/ask-on-terminal.ts');
  const child = spawn('setsid', ['-w', process.execPath, ...FROM_SOURCES, program, 'ask'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  child.stdout.on('data', (piece) => {
    text += String(piece);
  });
  await new Promise((resolve) => child.on('close', resolve));
  assert.match(text, /cannot ask/);
});
