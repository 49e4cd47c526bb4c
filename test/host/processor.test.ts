// Flags of processors → the levels they cover.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canRun, flagsIn, levelBits } from '../../src/host/processor.ts';

const baseline = 'fpu cx8 cmov mmx fxsr sse sse2';
const second = `${baseline} pni ssse3 cx16 sse4_1 sse4_2 popcnt lahf_lm`;
const third = `${second} avx f16c avx2 bmi1 bmi2 fma abm movbe xsave`;
const fourth = `${third} avx512f avx512bw avx512cd avx512dq avx512vl`;
const bitsOf = (flags: string): number =>
  levelBits(flagsIn(`processor\t: 0\nflags\t\t: ${flags}\nbugs\t:\n`));

test('each level has those below it', () => {
  assert.deepEqual([baseline, second, third, fourth].map(bitsOf), [1, 3, 7, 15]);
});

test('a level counts only whole, and not without those below it', () => {
  assert.equal(bitsOf(third.replace(' fma', '')), 3);
  assert.equal(bitsOf(fourth.replace(' popcnt', '')), 1);
  assert.equal(levelBits(flagsIn('')), 0);
});

test('what every processor has, and what none has', () => {
  assert.ok(canRun(0) && canRun(1));
  assert.ok(!canRun(1 << 30));
});
