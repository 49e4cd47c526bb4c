// Decisions are added up, told apart by a digest, and kept as canonical text that nothing else is taken for.
import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import {
  addChoices,
  addedFiles,
  choiceLines,
  digestOfChoices,
  dropChoices,
  hasChoices,
  NO_CHOICES,
} from '../../src/choices/choices.ts';
import { choicesFile, readChoices, saveChoices } from '../../src/choices/choices-file.ts';
import { choicesText, parseChoices } from '../../src/choices/parse-choices.ts';
import type { Directories } from '../../src/host/directories.ts';

const scratch = mkdtempSync(path.join(tmpdir(), 'nix-run-foreign-choices-'));
after(() => rmSync(scratch, { recursive: true }));

const choices = {
  pins: { 'libz.so.1': '/nix/store/z/lib/libz.so.1' },
  exclude: ['openssl-1.*'],
  prefer: ['zlib-1'],
};

test('what is dropped goes by its name, pattern or beginning; all else stays', () => {
  const all = { ...choices, add: { 'liba.so': null, 'libb.so': '/b' } };
  const { left, unknown } = dropChoices(all, ['libz.so.1', 'zlib-1', 'liba.so', 'other']);
  assert.deepEqual(left, { pins: {}, exclude: ['openssl-1.*'], prefer: [], add: { 'libb.so': '/b' } });
  assert.deepEqual(unknown, ['other']);
  assert.deepEqual(dropChoices(choices, ['libz.so.1', 'zlib-1', 'openssl-1.*']).left, NO_CHOICES);
});

test('a later pin replaces an earlier one, later preferences come first, exclusions are a sorted set', () => {
  const added = addChoices(choices, {
    pins: { 'libz.so.1': '/b', 'liba.so': '/a' },
    exclude: ['a', 'openssl-1.*'],
    prefer: ['openssl', 'zlib-1'],
  });
  assert.deepEqual(added, {
    pins: { 'libz.so.1': '/b', 'liba.so': '/a' },
    exclude: ['a', 'openssl-1.*'],
    prefer: ['openssl', 'zlib-1'],
  });
  assert.deepEqual(choiceLines(added), [
    'pin liba.so=/a',
    'pin libz.so.1=/b',
    'exclude a',
    'exclude openssl-1.*',
    'prefer openssl',
    'prefer zlib-1',
  ]);
});

test('what is said last of a name decides its file: a pin, or what is added', () => {
  const file = '/nix/store/a/lib/liba.so';
  const pinned = { ...NO_CHOICES, pins: { 'liba.so': '/nix/store/b/lib/liba.so' } };
  for (const earlier of [file, '/opt/liba.so', null]) {
    const start = { ...NO_CHOICES, add: { 'liba.so': earlier, 'libb.so': '/b' } };
    assert.deepEqual(addChoices(start, pinned), {
      ...pinned,
      add: { 'liba.so': null, 'libb.so': '/b' },
    });
  }
  const both = { ...pinned, pins: { ...pinned.pins, 'libb.so': '/b' } };
  const added = { ...NO_CHOICES, add: { 'liba.so': file } };
  assert.deepEqual(addChoices(both, added), { ...added, pins: { 'libb.so': '/b' } });
  const name = { ...NO_CHOICES, add: { 'liba.so': null } };
  assert.deepEqual(addChoices(pinned, name), { ...name, pins: pinned.pins });
});

test('the digest tells decisions apart and does not depend on the order of pins', () => {
  assert.equal(digestOfChoices(NO_CHOICES), undefined);
  assert.equal(hasChoices(NO_CHOICES), false);
  const two = { ...NO_CHOICES, pins: { a: '/1', b: '/2' } };
  assert.equal(digestOfChoices(two), digestOfChoices({ ...NO_CHOICES, pins: { b: '/2', a: '/1' } }));
  const others = [
    two,
    choices,
    { ...choices, prefer: [] },
    { ...choices, exclude: [] },
    { ...choices, pins: {} },
  ];
  assert.equal(new Set(others.map(digestOfChoices)).size, others.length);
});

test('what is added is part of text, digest and lines, and absent where nothing is', () => {
  const more = addChoices(choices, { ...NO_CHOICES, add: { 'libb.so': null, 'liba.so': '/opt/liba.so.1' } });
  assert.deepEqual(choiceLines(more).slice(1, 3), ['add liba.so=/opt/liba.so.1', 'add libb.so']);
  assert.deepEqual(parseChoices(choicesText('/opt/p', more), '/opt/p'), { kind: 'choices', choices: more });
  assert.notEqual(digestOfChoices(more), digestOfChoices(choices));
  assert.equal('add' in addChoices(choices, NO_CHOICES), false);
  assert.deepEqual([...addedFiles(more, '/nix/store')], [['liba.so', '/opt/liba.so.1']]);
  assert.deepEqual([...addedFiles({ ...more, add: { a: '/nix/store/x/liba.so' } }, '/nix/store')], []);
});

test('text and choices are the same thing', () => {
  assert.deepEqual(parseChoices(choicesText('/opt/p', choices), '/opt/p'), { kind: 'choices', choices });
});

const good = choicesText('/opt/p', choices);
for (const [what, text] of [
  ['nothing', ''],
  ['no JSON', '{'],
  ['another version', good.replace('"version":1', '"version":2')],
  ['another program', choicesText('/opt/q', choices)],
  ['a key more', good.replace('{', '{"more":1,')],
  ['a relative pin', good.replace('"/nix', '"nix')],
  ['a pin that is no text', good.replace('"/nix/store/z/lib/libz.so.1"', '7')],
  ['white space', good.replace(',', ', ')],
  ['no list', good.replace('["zlib-1"]', '"zlib-1"')],
  ['an empty pattern', good.replace('"openssl-1.*"', '""')],
] as const) {
  test(`refused: ${what}`, () => {
    const parsed = parseChoices(text, '/opt/p');
    assert.equal(parsed.kind, 'refused');
    assert.ok(parsed.kind === 'refused' && parsed.why.length > 0);
  });
}

function place(name: string): Directories {
  const at = (...names: string[]) => path.join(scratch, name, ...names);
  return {
    cache: at('cache'),
    state: at('state'),
    plans: at('cache', 'plans'),
    farms: at('cache', 'farms'),
    locks: at('cache', 'locks'),
    catalogues: at('cache', 'catalogues'),
    roots: at('state', 'roots'),
    fingerprints: at('state', 'fingerprints'),
  };
}

test('kept choices are read again, from the first place that has any; reset leaves nothing', async () => {
  const [one, two] = [place('one'), place('two')];
  assert.equal(await readChoices([one, two], '/opt/p', 'key'), undefined);
  await saveChoices(two, '/opt/p', 'key', choices);
  assert.deepEqual(await readChoices([one, two], '/opt/p', 'key'), {
    choices,
    file: choicesFile(two, 'key'),
  });
  await saveChoices(one, '/opt/p', 'key', { ...choices, prefer: [] });
  assert.deepEqual((await readChoices([one, two], '/opt/p', 'key'))?.choices.prefer, []);
  await saveChoices(one, '/opt/p', 'key', NO_CHOICES);
  await saveChoices(two, '/opt/p', 'key', undefined);
  assert.equal(await readChoices([one, two], '/opt/p', 'key'), undefined);
  assert.deepEqual(readdirSync(path.dirname(choicesFile(one, 'key'))), []);
});

test('damaged choices, those others could have written, links and directories are as if there were none', async () => {
  const here = place('three');
  const file = choicesFile(here, 'key');
  await saveChoices(here, '/opt/p', 'key', choices);
  const text = readFileSync(file, 'utf8');
  const read = async () => (await readChoices([here], '/opt/p', 'key'))?.choices;
  assert.deepEqual(await read(), choices);
  chmodSync(file, 0o666);
  assert.equal(await read(), undefined);
  chmodSync(file, 0o600);
  writeFileSync(file, text.slice(0, -3));
  assert.equal(await read(), undefined);
  rmSync(file);
  writeFileSync(`${file}.real`, text);
  symlinkSync(`${file}.real`, file);
  assert.equal(await read(), undefined);
  rmSync(file);
  mkdirSync(file);
  assert.equal(await read(), undefined);
  await saveChoices(here, '/opt/p', 'key', choices);
  assert.deepEqual(await read(), choices);
});

/** As others can make them where fs.protected_hardlinks is off (proc(5)): a hard link keeps owner and mode. */
test('a hard link to the choices of another program, or of somebody else, is as if there were none', async () => {
  const here = place('four');
  await saveChoices(here, '/opt/p', 'key', choices);
  linkSync(choicesFile(here, 'key'), choicesFile(here, 'other'));
  assert.equal(await readChoices([here], '/opt/q', 'other'), undefined);
  assert.deepEqual((await readChoices([here], '/opt/p', 'key'))?.choices, choices);
  if (process.getuid?.() !== 0) return;
  chownSync(choicesFile(here, 'other'), 65534, 65534);
  assert.equal(await readChoices([here], '/opt/p', 'key'), undefined);
});
