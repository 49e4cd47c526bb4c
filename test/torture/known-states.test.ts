// States that differ by one thing → told apart where what comes after can tell; a known state ends a shell.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, test } from 'node:test';
import { promisify } from 'node:util';
import { identityOf } from '../../src/host/file-identity.ts';
import { openKnownStates } from './known-states.ts';
import { stateDigest, validFromNow } from './state-digest.ts';

const scratch = mkdtempSync(path.join(tmpdir(), 'torture-states-'));
after(() => rmSync(scratch, { recursive: true }));

/** A home with all that a digest looks into, and a store beside it. */
function openState(): { tree: string; store: string; digest(): string } {
  const directory = mkdtempSync(path.join(scratch, 'state-'));
  const tree = path.join(directory, 'tree');
  const store = path.join(directory, 'store');
  for (const each of [`${tree}/deep`, `${tree}/plans`, `${store}/object`])
    mkdirSync(each, { recursive: true });
  writeFileSync(`${tree}/file`, 'file');
  writeFileSync(`${tree}/program`, 'program', { mode: 0o755 });
  writeFileSync(`${tree}/deep/said.stderr`, 'said');
  symlinkSync('target', `${tree}/link`);
  writePlan(tree);
  writeCatalogue(tree, '7');
  writeTable(tree, 7n);
  register(tree, 'rig');
  const database = validFromNow(databaseOf(tree), directory);
  const digest = () =>
    stateDigest({ trees: [tree], named: [store], database, scratch: path.join(directory, 'scratch') });
  return { tree, store, digest };
}

function writePlan(tree: string): void {
  const [program, file] = ['program', 'file'].map((name) => identityOf(`${tree}/${name}`));
  writeFileSync(
    `${tree}/plans/0123456789abcdef`,
    `plan 2\0p/home/program\0i${program}\0w${file} /home/file\0`,
  );
}

function writeCatalogue(tree: string, state: string, listed = ''): void {
  rmSync(`${tree}/catalogue.sqlite`, { force: true });
  using database = new DatabaseSync(`${tree}/catalogue.sqlite`);
  database.exec('CREATE TABLE memo (key text, value text)');
  const insert = database.prepare('INSERT INTO memo VALUES (?, ?)');
  const memos = [
    ['names-state', state],
    ['store-directory', listed],
  ] as const;
  for (const [key, value] of memos) insert.run(key, value);
}

function writeTable(tree: string, state: bigint): void {
  const table = Buffer.alloc(48, 1);
  table.writeBigUInt64LE(state, 32);
  writeFileSync(`${tree}/catalogue.62.names`, table);
}

/** Nix's own, beside the store. */
const databaseOf = (tree: string): string => path.join(tree, '../db.sqlite');

/** Makes a path valid, as Nix does. */
function register(tree: string, name: string, hash = 'sha256:1'): void {
  using database = new DatabaseSync(databaseOf(tree));
  database.exec(`CREATE TABLE IF NOT EXISTS ValidPaths (id integer PRIMARY KEY, path, hash, narSize);
    CREATE TABLE IF NOT EXISTS Refs (referrer, reference)`);
  database.prepare('INSERT INTO ValidPaths VALUES (NULL, ?, ?, 1)').run(`/nix/store/${name}`, hash);
}

/** What is done to it, and whether it is another state then. */
const CHANGES: readonly (readonly [string, (tree: string) => void, 'same' | 'other'])[] = [
  ['nothing', () => {}, 'same'],
  ['a time', (tree) => utimesSync(`${tree}/deep/said.stderr`, 1, 1), 'same'],
  ['a file written anew', (tree) => writeAnew(`${tree}/deep/said.stderr`), 'same'],
  ['a program that the plan is not for', (tree) => writeAnew(`${tree}/program`), 'other'],
  ['a file that the plan does not know', (tree) => writeAnew(`${tree}/file`), 'other'],
  [
    'a program written anew, with its plan',
    (tree) => {
      writeAnew(`${tree}/program`);
      writePlan(tree);
    },
    'same',
  ],
  ['who may write to it', (tree) => chmodSync(tree, 0o777), 'other'],
  ['what a command said', (tree) => writeFileSync(`${tree}/again.stderr`, 'x'), 'same'],
  ['what is in a store object', (tree) => writeFileSync(`${tree}/../store/object/file`, 'x'), 'same'],
  ['a content of the same size', (tree) => writeFileSync(`${tree}/deep/said.stderr`, 'SAID'), 'other'],
  ['a permission', (tree) => chmodSync(`${tree}/deep/said.stderr`, 0o600), 'other'],
  ['a name', (tree) => renameSync(`${tree}/file`, `${tree}/file.tmp`), 'other'],
  ['an empty directory', (tree) => mkdirSync(`${tree}/deep/lock`), 'other'],
  ['where a link leads', (tree) => renameSync(linkIn(tree, 'other'), `${tree}/link`), 'other'],
  ['contents that change places', (tree) => exchange(`${tree}/file`, `${tree}/deep/said.stderr`), 'other'],
  ['a path that is valid', (tree) => register(tree, 'object'), 'other'],
  ['half a database of Nix', (tree) => writeFileSync(databaseOf(tree), 'SQLite'), 'other'],
  ['a store object', (tree) => mkdirSync(`${tree}/../store/another`), 'other'],
  [
    'the number of a state, the same in the catalogue and its table',
    (tree) => {
      writeCatalogue(tree, '8');
      writeTable(tree, 8n);
    },
    'same',
  ],
  ['a table of another state', (tree) => writeTable(tree, 8n), 'other'],
  ['when the store was listed, long ago', (tree) => writeCatalogue(tree, '7', '1:2:3:4.5:6.7'), 'same'],
  [
    'a store that is as it was listed',
    (tree) => writeCatalogue(tree, '7', identityOf(`${tree}/../store`)),
    'other',
  ],
  ['half a database', (tree) => writeFileSync(`${tree}/catalogue.sqlite`, 'SQLite'), 'other'],
];

function writeAnew(file: string): void {
  writeFileSync(`${file}.new`, readFileSync(file), { mode: file.endsWith('program') ? 0o755 : 0o644 });
  renameSync(`${file}.new`, file);
}

function linkIn(tree: string, target: string): string {
  symlinkSync(target, `${tree}/new`);
  return `${tree}/new`;
}

function exchange(one: string, other: string): void {
  renameSync(one, `${one}.kept`);
  renameSync(other, one);
  renameSync(`${one}.kept`, other);
}

/** Undefined where it cannot be told: such a state is never known. */
function digestOr(digest: () => string): string | undefined {
  try {
    return digest();
  } catch {
    return undefined;
  }
}

for (const [what, change, expected] of CHANGES)
  test(`a state that differs by ${what} is the ${expected}`, () => {
    const { tree, digest } = openState();
    const before = digest();
    change(tree);
    assert.equal(digestOr(digest) === before ? 'same' : 'other', expected);
  });

/** What a shell says that goes on after a new state; then all was right, or not. */
async function ask(
  known: ReturnType<typeof openKnownStates>,
  [work, how]: readonly [string, string],
  undone?: string,
) {
  const { given } = known.answer(work, how);
  const { stdout } = await promisify(execFile)('bash', ['-c', `${known.endIfKnown}echo on`]);
  const answer = await given();
  if (undone !== undefined) answer.learn({ undone });
  return [stdout, answer.known?.undone];
}

test('a shell ends after a state that was right twice, of one work', async () => {
  const { tree, store } = openState();
  const tools = mkdtempSync(path.join(scratch, 'tools-'));
  const known = openKnownStates(tools, tools, { trees: [tree], named: [store] });
  const ON = ['on\n', undefined];
  assert.deepEqual(await ask(known, ['miss', '5@openat']), ON); // wrong afterwards: not learnt
  assert.deepEqual(await ask(known, ['miss', '5@openat'], 'half'), ON);
  assert.deepEqual(await ask(known, ['miss', '5@openat'], 'half'), ON);
  assert.deepEqual(await ask(known, ['miss', '5@openat']), ['', 'half']);
  assert.deepEqual(await ask(known, ['hit', '5@openat']), ON);
  assert.deepEqual(await ask(known, ['miss', '5@utimensat']), ON, 'times are in no digest');
  assert.deepEqual(await ask(known, ['miss', 'kill@utimensat']), ON, 'nor before a kill there');
  mkdirSync(`${tree}/lock`);
  assert.deepEqual(await ask(known, ['miss', '5@openat']), ON);
});

test('a shell that ended before it asked is not waited for', async () => {
  const { tree, store } = openState();
  const tools = mkdtempSync(path.join(scratch, 'tools-'));
  const known = openKnownStates(tools, tools, { trees: [tree], named: [store] });
  await known.answer('miss', '5@openat').given();
  assert.deepEqual(await ask(known, ['miss', '5@openat']), ['on\n', undefined]);
});
