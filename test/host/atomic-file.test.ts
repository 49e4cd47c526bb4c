// Files that are there completely or not at all: failures, several writers, kill -9, leftovers.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import {
  removeLeftovers,
  removeLeftoversOf,
  temporaryName,
  writeFileAtomically,
} from '../../src/host/atomic-file.ts';
import { processIdentity } from '../../src/host/mutex.ts';
import { scratchDirectory } from '../store/compiled-library.ts';

const MODULE = JSON.stringify(path.resolve(import.meta.dirname, '../../src/host/atomic-file.ts'));

test('what is written is there, private, and nothing beside it', () => {
  const scratch = scratchDirectory();
  const file = path.join(scratch, 'file');
  for (const content of ['', 'text é', Buffer.alloc(3_000_000, 7)]) {
    writeFileAtomically(file, content);
    assert.deepEqual(readFileSync(file), Buffer.from(content));
  }
  assert.equal(lstatSync(file).mode & 0o777, 0o600);
  assert.deepEqual(readdirSync(scratch), ['file']);
});

test('a failure is told and leaves nothing', () => {
  const scratch = scratchDirectory();
  assert.throws(() => writeFileAtomically(path.join(scratch, 'none/file'), 'x'), { code: 'ENOENT' });
  const long = path.join(scratch, 'x'.repeat(300));
  assert.throws(() => writeFileAtomically(long, 'x'), { code: 'ENAMETOOLONG' });
  assert.deepEqual(readdirSync(scratch), []);
});

test('temporary names are all different, beside the target and hidden', () => {
  const names = Array.from({ length: 100 }, () => temporaryName('/a/b'));
  assert.equal(new Set(names).size, 100);
  for (const name of names) assert.match(name, /^\/a\/\.b\..*\.tmp$/);
});

test('writers at the same time: always one of their contents, whole', { timeout: 60_000 }, async () => {
  const scratch = scratchDirectory();
  const file = path.join(scratch, 'file');
  const script = `import { writeFileAtomically } from ${MODULE};
    for (let i = 0; i < 300; i += 1) writeFileAtomically(${JSON.stringify(file)}, process.argv[1].repeat(10_000));`;
  const writers = ['a', 'b', 'c'].map((letter) =>
    once(
      spawn(process.execPath, ['--input-type=module', '-e', script, letter], { stdio: 'inherit' }),
      'close',
    ),
  );
  let running = true;
  const all = Promise.all(writers).finally(() => {
    running = false;
  });
  while (running) {
    try {
      assert.match(readFileSync(file, 'utf8'), /^(a{10000}|b{10000}|c{10000})$/);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
  for (const [code] of await all) assert.equal(code, 0);
  assert.deepEqual(readdirSync(scratch), ['file']);
});

test('kill -9 leaves the old file, and its leftover goes with the next cleaning', {
  timeout: 60_000,
}, async () => {
  const scratch = scratchDirectory();
  const file = path.join(scratch, 'file');
  writeFileAtomically(file, 'old');
  // The process dies between the temporary file and the rename.
  const script = `import { temporaryName } from ${MODULE};
    import { writeFileSync, mkdirSync } from 'node:fs';
    writeFileSync(temporaryName(${JSON.stringify(file)}), 'half');
    mkdirSync(temporaryName(${JSON.stringify(file)}) + '/x', { recursive: true });
    process.kill(process.pid, 'SIGKILL');`;
  const [, signal] = await once(spawn(process.execPath, ['--input-type=module', '-e', script]), 'close');
  assert.equal(signal, 'SIGKILL');
  assert.equal(readFileSync(file, 'utf8'), 'old');
  assert.equal(readdirSync(scratch).length, 3);
  removeLeftovers(scratch);
  assert.deepEqual(readdirSync(scratch), ['file']);
});

test('what belongs to a running process, or is none of ours, stays', () => {
  const scratch = scratchDirectory();
  const own = temporaryName(path.join(scratch, 'file'));
  writeFileSync(own, 'in work');
  for (const name of ['file', '.hidden', '.file.tmp', 'x.1.2.3.tmp'])
    writeFileSync(path.join(scratch, name), '');
  const before = readdirSync(scratch).sort();
  removeLeftovers(scratch);
  assert.deepEqual(readdirSync(scratch).sort(), before);
});

test('leftovers of another pid namespace go when they are old', () => {
  const scratch = scratchDirectory();
  const [fresh, old] = ['.f.1234.1.1.tmp', '.f.1234.1.2.tmp'].map((name) => path.join(scratch, name));
  for (const each of [fresh, old]) writeFileSync(each ?? '', '');
  const long = Date.now() / 1000 - 100_000;
  utimesSync(old ?? '', long, long);
  removeLeftovers(scratch);
  assert.deepEqual(readdirSync(scratch), ['.f.1234.1.1.tmp']);
});

test("a process of another machine is not taken for a dead one, though each has the first namespace's number", () => {
  const scratch = scratchDirectory();
  const [number] = /\d+/.exec(readlinkSync('/proc/self/ns/pid')) ?? [];
  const [place = ''] = processIdentity().split('.');
  assert.match(place, new RegExp(`^${number}\\d{15}$`));
  const elsewhere = `.f.${place.replace(/.$/, (digit) => String(9 - Number(digit)))}.4194304.1.tmp`;
  for (const name of [`.f.${place}.4194304.1.tmp`, elsewhere]) writeFileSync(path.join(scratch, name), '');
  removeLeftovers(scratch);
  assert.deepEqual(readdirSync(scratch), [elsewhere]);
});

test('in a directory of the user only leftovers of the one file go', () => {
  const scratch = scratchDirectory();
  const long = Date.now() / 1000 - 100_000;
  for (const name of ['.f.1234.1.1.tmp', '.g.1234.1.1.tmp', '.f.1.tmp']) {
    writeFileSync(path.join(scratch, name), '');
    utimesSync(path.join(scratch, name), long, long);
  }
  removeLeftoversOf(path.join(scratch, 'f'));
  assert.deepEqual(readdirSync(scratch).sort(), ['.f.1.tmp', '.g.1234.1.1.tmp']);
});

test('a leftover that this process would be given again by name does not stop it', () => {
  const scratch = scratchDirectory();
  const file = path.join(scratch, 'file');
  // A process of the same id in the same pid namespace was killed before: containers count from 1 again.
  const serial = Number(/\.(\d+)\.tmp$/.exec(temporaryName(file))?.[1]);
  for (let i = 1; i < 4; i += 1) {
    writeFileSync(temporaryName(file).replace(/\d+\.tmp$/, `${serial + 4 + i}.tmp`), 'half');
  }
  for (let i = 0; i < 6; i += 1) writeFileAtomically(file, 'new');
  assert.equal(readFileSync(file, 'utf8'), 'new');
});

test('cleaning never throws: no directory, a file, what may not be removed', () => {
  const scratch = scratchDirectory();
  writeFileSync(path.join(scratch, 'file'), '');
  removeLeftovers(path.join(scratch, 'none'));
  removeLeftovers(path.join(scratch, 'file'));
  if (process.getuid?.() !== 0) return;
  // A directory that somebody else left in a directory of the user's, with something in it.
  const leftover = path.join(scratch, '.f.1.999999999.1.tmp');
  mkdirSync(path.join(leftover, 'inside'), { recursive: true });
  const dead = `.f.${processIdentity().split('.')[0]}`;
  execFileSync('mv', [leftover, path.join(scratch, `${dead}.4194303.1.tmp`)]);
  execFileSync('chown', ['65534', scratch]);
  execFileSync('chmod', ['700', path.join(scratch, `${dead}.4194303.1.tmp`)]);
  const script = `import { removeLeftovers } from ${MODULE}; removeLeftovers(${JSON.stringify(scratch)});`;
  const words = ['--input-type=module', '-e', script];
  execFileSync(process.execPath, words, { uid: 65534, stdio: 'pipe' });
});
