// A file that the user names → what is written there, and what was there and stays.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { beforeEach, test } from 'node:test';
import { programOutput, writeByOurName, writeOutput } from '../../src/cli/output-file.ts';
import { scratchDirectory } from '../store/compiled-library.ts';

const scratch = scratchDirectory();
let directory = '';
const at = (...names: string[]): string => path.join(directory, ...names);
let count = 0;
beforeEach(() => {
  directory = path.join(scratch, String(++count));
  mkdirSync(at('far'), { recursive: true });
});

test('a link stays, and what it leads to is written, with the mode that it has', () => {
  writeFileSync(at('far', 'file'), 'old');
  chmodSync(at('far', 'file'), 0o660); // the usual umask would take the group's right to write
  symlinkSync('far/file', at('second'));
  symlinkSync('second', at('first'));
  writeOutput(at('first'), 'new');
  assert.equal(readlinkSync(at('first')), 'second');
  assert.equal(readlinkSync(at('second')), 'far/file');
  assert.equal(readFileSync(at('far', 'file'), 'utf8'), 'new');
  assert.equal(statSync(at('far', 'file')).mode & 0o777, 0o660);
  assert.deepEqual(readdirSync(at('far')), ['file']);
});

test('a link that leads to nothing yet has it made there', () => {
  symlinkSync('far/file', at('link'));
  writeOutput(at('link'), 'new');
  assert.equal(lstatSync(at('link')).isSymbolicLink(), true);
  assert.equal(readFileSync(at('far', 'file'), 'utf8'), 'new');
});

test('links that lead to one another, or to no directory, are told', () => {
  symlinkSync('loop', at('loop'));
  symlinkSync('nowhere/file', at('astray'));
  for (const name of ['loop', 'astray'])
    assert.throws(() => writeOutput(at(name), 'new'), { code: 'unwritable' });
  assert.deepEqual(readdirSync(directory).sort(), ['astray', 'far', 'loop']);
});

const asRoot = process.getuid?.() === 0 ? {} : { skip: 'only root gives files away' };

test('a link of somebody else is not followed, to a file or to nothing yet', asRoot, () => {
  writeFileSync(at('far', 'file'), 'old');
  for (const name of ['file', 'none']) {
    symlinkSync(`far/${name}`, at(name));
    symlinkSync(name, at(`mine-${name}`));
    lchownSync(at(name), 4321, 4321);
    for (const each of [name, `mine-${name}`])
      assert.throws(() => writeOutput(at(each), 'new'), /a link of somebody else is on the way/);
  }
  assert.equal(readFileSync(at('far', 'file'), 'utf8'), 'old');
  assert.equal(existsSync(at('far', 'none')), false);
});

test('nor one on the way, or to what is no file', asRoot, () => {
  symlinkSync('far', at('way'));
  symlinkSync('/dev/null', at('device'));
  for (const name of ['way', 'device']) lchownSync(at(name), 4321, 4321);
  for (const name of ['way/file', 'device'])
    assert.throws(() => writeOutput(at(name), 'new'), /a link of somebody else is on the way/);
  assert.deepEqual(readdirSync(at('far')), []);
});

test('`..` is what stands before the directory behind a link, as the kernel has it', () => {
  mkdirSync(at('far/releases/3'), { recursive: true });
  mkdirSync(at('out/kept'), { recursive: true });
  symlinkSync('far/releases/3', at('current'));
  symlinkSync('current/../out', at('linked'));
  for (const name of ['current/../out', 'linked']) {
    writeOutput(`${directory}/${name}`, name);
    assert.equal(readFileSync(at('far/releases/out'), 'utf8'), name);
  }
  assert.deepEqual(readdirSync(at('out')), ['kept']);
  assert.equal(programOutput('/x/jq', `${directory}/current/../jq`, 0), at('far/releases/jq'));
  assert.equal(programOutput('/x/jq', `${directory}/current`, 0), at('far/releases/3/jq'));
  assert.equal(programOutput('/x/jq', at('nowhere/jq'), 0), at('nowhere/jq'));
});

test('the name of a directory makes no file, nor a file with a slash behind it another', () => {
  writeFileSync(at('file'), 'old');
  for (const name of ['new/', 'file/', 'far/..', '.'])
    assert.throws(() => writeOutput(`${directory}/${name}`, 'new'), { code: 'unwritable' });
  assert.equal(readFileSync(at('file'), 'utf8'), 'old');
  assert.deepEqual(readdirSync(directory).sort(), ['far', 'file']);
});

test('a directory stays, with all that is in it', () => {
  writeFileSync(at('far', 'file'), 'old');
  assert.throws(() => writeOutput(at('far'), 'new'), { code: 'unwritable' });
  assert.throws(() => writeByOurName(at('far'), 'new'), { code: 'unwritable' });
  assert.equal(readFileSync(at('far', 'file'), 'utf8'), 'old');
});

test('what is no file is written into: a device, a pipe that somebody reads', async () => {
  writeOutput('/dev/null', 'new');
  execFileSync('mkfifo', [at('pipe')]);
  const reader = spawn('cat', [at('pipe')], { stdio: ['ignore', 'pipe', 'inherit'] });
  const said = text(reader.stdout);
  writeOutput(at('pipe'), 'new');
  assert.equal(await said, 'new');
});

test('by a name of ours a link is replaced: nobody said that it leads where something may be written', () => {
  writeFileSync(at('far', 'file'), 'old');
  symlinkSync('far/file', at('link'));
  writeByOurName(at('link'), 'new');
  assert.equal(lstatSync(at('link')).isFile(), true);
  assert.equal(readFileSync(at('far', 'file'), 'utf8'), 'old');
});

for (const name of [`${'x'.repeat(251)}.svg`, `${'é'.repeat(127)}x`])
  test(`a name of ${Buffer.byteLength(name)} bytes`, () => {
    writeOutput(at(name), 'old');
    writeOutput(at(name), 'new');
    assert.equal(readFileSync(at(name), 'utf8'), 'new');
    assert.deepEqual(readdirSync(directory).sort(), [name, 'far'].sort());
  });
