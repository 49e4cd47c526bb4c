// Libraries that the user added: explain tells of them and of what they bring, and their sonames serve nobody else.
import assert from 'node:assert/strict';
import { mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { ensureRig } from '../../rig/rig.ts';
import { compileLibrary } from '../../store/compiled-library.ts';
import { copyHome, foreign, onHost } from '../foreign-files.ts';
import { openToolRoot } from '../tool.ts';

const rig = await ensureRig('full');
const root = await openToolRoot(rig);
const sqlite = foreign(rig, 'bookworm', 'sqlite3');
const program = copyHome(root, sqlite, 'sqlite3');

async function add(library: string): Promise<void> {
  const { status, stderr } = await root.manage(['choose', '--add', library, program]);
  assert.equal(status, 0, stderr);
}

interface Choosable {
  readonly alternatives: readonly {
    readonly name: string;
    readonly candidates: readonly { readonly file: string }[];
  }[];
}

async function why(name: string): Promise<string> {
  const { status, stdout, stderr } = await root.manage(['explain', '--why', name, program]);
  assert.equal(status, 0, stderr);
  return stdout;
}

test('of one of the store explain --why says that it was added, and of what it brings, for whom', async () => {
  assert.equal((await root.manage(['explain', '--why', 'libpng16.so.16', program])).status, 125);
  await add('libpng16.so.16');
  assert.match(
    await why('libpng16.so.16'),
    /^libpng16\.so\.16\n {2}\/nix\/store\/.*\n(?:.*\n)* {2}you added it$/m,
  );
  const { stdout } = await root.manage(['explain', program]);
  assert.match(stdout, /^in the set for that: .*libpng16\.so\.16/m);
  await add('libarchive.so.13');
  assert.match(await why('libxml2.so.2'), /^libxml2\.so\.2\n(?:.*\n)* {2}needed by libarchive\.so\.13/m);
});

test('a pin replaces the file of an addition, which replaces a pin: what was said last is loaded', async () => {
  await root.manage(['choose', '--reset', program]);
  const name = 'libpng16.so.16';
  const listed = await root.manage(['choose', '--add', name, '--json', program]);
  assert.equal(listed.status, 0, listed.stderr);
  const { alternatives } = JSON.parse((await root.manage(['choose', '--json', program])).stdout) as Choosable;
  const candidates = alternatives.find((each) => each.name === name)?.candidates ?? [];
  const [first = '', second = ''] = [...new Set(candidates.map(({ file }) => file))];
  assert.notEqual(second, '');
  const taken = async (...words: string[]): Promise<string | undefined> => {
    const { status, stderr } = await root.manage(['choose', ...words, program]);
    assert.equal(status, 0, stderr);
    return (await why(name)).split('\n')[1]?.trim();
  };
  assert.equal(await taken('--add', `${name}=${first}`), first);
  assert.equal(await taken('--pin', `${name}=${second}`), second);
  assert.equal(await taken('--add', `${name}=${first}`), first);
  const both = await root.manage([
    ...['choose', '--add', `${name}=${first}`],
    ...['--pin', `${name}=${second}`, program],
  ]);
  assert.equal(both.status, 125);
  assert.match(
    both.stderr,
    /^nix-foreign: libpng16\.so\.16: --pin and --add each name a file for it\n {2}\S/,
  );
  assert.equal((await root.manage(['choose', '--drop', name, program])).status, 0);
  assert.equal((await root.manage(['explain', '--why', name, program])).status, 125);
});

test('a file of the user whose soname the program needs from the store does not serve it', async () => {
  await root.manage(['choose', '--reset', program]);
  const file = path.join(path.dirname(program), 'vendor/libz.so');
  mkdirSync(path.dirname(onHost(root, file)), { recursive: true });
  compileLibrary(onHost(root, file), { soname: 'libz.so.1' });
  await add(`libz.so=${file}`);
  const { status, stdout, stderr } = await root.start([program, ...sqlite.args]);
  assert.equal(status, 0, stderr);
  assert.match(stdout, sqlite.expect);
  assert.match(
    await why('libz.so'),
    new RegExp(`^libz\\.so\\n {2}${file}\\n(?:.*\\n)* {2}you added it$`, 'm'),
  );
  assert.match(await why('libz.so.1'), /^libz\.so\.1\n {2}\/nix\/store\//);
});

test('one that is gone is told to have been added, and how to take that back', async () => {
  const file = path.join(path.dirname(program), 'vendor/libmine.so');
  compileLibrary(onHost(root, file));
  await add(`libmine.so=${file}`);
  rmSync(onHost(root, file));
  const { status, stderr } = await root.start(['--refresh', program, ...sqlite.args]);
  assert.equal(status, 126);
  assert.match(
    stderr,
    new RegExp(`\\n {2}you added ${file}, which is no library now; put it back, or .* --reset\\n$`),
  );
  const again = await root.manage(['choose', '--add', `libmine.so=${file}`, program]);
  assert.equal(again.status, 125);
  assert.match(again.stderr, /^nix-foreign: libmine\.so cannot be added: \S+: no such file or directory\n/);
});
