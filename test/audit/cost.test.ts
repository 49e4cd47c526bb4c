// The module → what it costs: room for thread storage, system calls of a start, time of a search that fails, of a call.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { AUDIT_MODULE } from '../../src/plan/run-time-files.ts';
import { needTool } from '../launcher/tool-fixture.ts';
import {
  buildModule,
  compileLibrary,
  compileProgram,
  loaderWords,
  makePlace,
  rigGlibcs,
  runWords,
  scratch,
  startBy,
} from './audit-fixture.ts';

const glibcs = rigGlibcs();
const [oldest, newest] = [glibcs[0], glibcs.at(-1)];
assert.ok(oldest && newest);
const module = await buildModule('nix-foreign-audit.so');
const program = compileProgram('open-late', oldest);
const names = Array.from({ length: 100_000 }, (_, i) => `libsome-library-${i}.so.${i % 17}`);
const place = makePlace(module, { names });

/** Libraries whose thread storage must fit what ld.so set aside at the start (glibc, elf/dl-tls.c, TLS_STATIC_SURPLUS). */
const thirsty = [256, 768, 1152, 1408, 1600, 1664, 1728, 2048].map((size) =>
  compileLibrary(
    `libthread-${size}.so.1`,
    `static __thread char room[${size}] __attribute__((tls_model("initial-exec"), aligned(64)));
char *answer(void) { return room; }\n`,
  ),
);

for (const glibc of glibcs)
  test(`glibc ${glibc.version}: takes no room from initial-exec thread storage`, async () => {
    const opened = async (from: typeof place | undefined) => {
      const all = await Promise.all(thirsty.map((each) => startBy(glibc, from, [program, 'open', each])));
      return all.map(({ stdout }) => / opened$/m.test(stdout));
    };
    const [bare, audited] = [await opened(undefined), await opened(place)];
    assert.ok(bare[0] && bare.includes(false), 'some fit, and some do not');
    for (const [i, fits] of bare.entries()) assert.ok(!fits || audited[i], thirsty[i]);
  });

test('a start needs at most ten system calls more', async () => {
  needTool('strace', 'strace');
  const calls = async (from: typeof place | undefined) => {
    const trace = scratch('trace');
    const words = [newest.loader, ...loaderWords(newest, from), program, 'nothing'];
    const { status, stderr } = await runWords(['strace', '-o', trace, ...words]);
    assert.deepEqual([status, stderr], [0, '']);
    return readFileSync(trace, 'utf8').split('\n').length;
  };
  const [bare, audited] = [await calls(undefined), await calls(place)];
  assert.ok(audited > bare && audited <= bare + 10, `${bare}, ${audited}`);
});

test('a name that no store has costs at most 2 microseconds of the module', () => {
  const asker = scratch('ask-module');
  execFileSync('gcc', ['-O2', '-o', asker, path.join(import.meta.dirname, 'programs/ask-module.c'), '-ldl']);
  const words = [path.join(place.directory, AUDIT_MODULE), '10000'];
  const [answered, nanoseconds] = execFileSync(asker, words, { encoding: 'utf8' }).split(' ').map(Number);
  assert.equal(answered, 0);
  assert.ok((nanoseconds ?? Number.NaN) <= 2000, `${nanoseconds} ns`);
});

for (const glibc of glibcs.filter(({ version }) => Number(version) >= 2.35))
  test(`glibc ${glibc.version}: no call of a lazily bound function is slowed`, async () => {
    const each = async (from: typeof place | undefined) => {
      const { stdout } = await startBy(glibc, from, [program, 'call-often', '200000']);
      return Number(stdout.split(' ')[1]);
    };
    const rounds = [1, 2, 3];
    const least = async (from: typeof place | undefined) => {
      let found = Number.POSITIVE_INFINITY;
      for (const _ of rounds) found = Math.min(found, await each(from));
      return found;
    };
    const [bare, audited] = [await least(undefined), await least(place)];
    assert.ok(audited < 2 * bare, `${bare}, ${audited} ns`); // 100 or 500 where it is
  });
