// The machine's own programs, given another interpreter: the loader takes each copy for the same program, and they run.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { elfFileAt } from '../../../src/elf/open-elf.ts';
import { sampled } from '../../sample.ts';
import { copyOfProgram, listOf, programsNaming } from './judge-copies.ts';

const loader = '/lib64/ld-linux-x86-64.so.2';
const scratch = mkdtempSync(path.join(tmpdir(), 'copies-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

/** As long as a launcher's path in the store. */
const interpreter = path.join(scratch, `ld-${'x'.repeat(60)}`);
symlinkSync(loader, interpreter);

const all = programsNaming(loader, ['/usr/bin', '/usr/sbin']);
const programs = sampled(all, 12);

interface Copied {
  readonly program: string;
  readonly copy: string;
}

const copied: Copied[] = [];
const refused: string[] = [];
for (const program of programs) {
  const outcome = copyOfProgram(program, interpreter, path.join(scratch, 'copies'));
  if (outcome.kind === 'copied') copied.push({ program, copy: outcome.file });
  else refused.push(`${program}: ${outcome.why}`);
}

test('every program can be given another interpreter', (t) => {
  t.diagnostic(`${copied.length} of ${programs.length}; refused: ${refused.join('; ')}`);
  assert.ok(programs.length >= 50, `only ${programs.length} programs were found`);
  assert.deepEqual(refused, []);
});

test('the loader has the same libraries for each copy as for the program', () => {
  for (const { program, copy } of copied) {
    assert.equal(elfFileAt(copy)?.interpreter, interpreter, program);
    assert.equal(spawnSync(loader, ['--verify', copy], { env: {} }).status, 0, program);
    assert.equal(listOf(loader, copy), listOf(loader, program), program);
  }
});

test('in nearly all nothing but the few fields differs, and nothing moves', () => {
  const grown = copied.filter(({ program, copy }) => statSync(copy).size !== statSync(program).size);
  assert.ok(
    grown.length <= Math.max(2, copied.length * 0.02),
    grown.map(({ program }) => program).join('\n'),
  );
  for (const each of copied.filter((one) => !grown.includes(one)).slice(0, 40)) {
    const { program, copy } = each;
    const [before, after] = [readFileSync(program), readFileSync(copy)];
    let different = 0;
    for (let i = 0; i < before.length; i += 1) if (before[i] !== after[i]) different += 1;
    // The string, 8 fields of two program headers and 3 of a section header.
    assert.ok(different <= interpreter.length + 1 + 11 * 8, `${program}: ${different} bytes differ`);
  }
});

test('each copy runs as the program does', () => {
  const env = { PATH: '/usr/bin:/bin', HOME: path.join(scratch, 'home') };
  /** What has its process id, the time or its own path in the output cannot be compared. */
  const outputOf = (file: string, argv0: string) => {
    const { status, signal, stdout, stderr } = spawnSync(file, ['--version'], {
      argv0,
      env,
      cwd: scratch,
      encoding: 'utf8',
      timeout: 20_000,
    });
    return [status, signal, stdout, stderr]
      .join('\n')
      .replaceAll(path.dirname(path.dirname(file)), path.dirname(path.dirname(argv0)))
      .replaceAll(/\b[0-9]+\b/g, 'N');
  };
  const some = copied.filter((_, index) => index % Math.ceil(copied.length / 60) === 0);
  assert.ok(some.length >= 30, `only ${some.length} are started`);
  for (const { program, copy } of some) {
    outputOf(program, program); // a first run may tell what it makes in a new home
    assert.equal(outputOf(copy, program), outputOf(program, program), program);
  }
});
