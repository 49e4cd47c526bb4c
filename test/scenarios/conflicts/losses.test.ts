// Programs that run, until what they need is taken out of the store: refused with a minimal explanation, by construction.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { ensureRig } from '../../rig/rig.ts';
import type { Root } from '../../rig/root.ts';
import { sampled } from '../../sample.ts';
import { assertRefused } from '../expect-failure.ts';
import { assertStarts } from '../expect-start.ts';
import { foreign } from '../foreign-files.ts';
import { openToolRoot } from '../tool.ts';
import { losses } from './real-programs.ts';
import { assertMinimal, judge, kindsOf } from './verdict.ts';

const rig = await ensureRig('full');
const root = await openToolRoot(rig);

/** Moves objects out of the store; the function that is returned brings them back. */
function takeAway({ nixDir }: Root, pattern: RegExp, having = ''): () => void {
  const [store, away] = [path.join(nixDir, 'store'), path.join(nixDir, 'away')];
  const names = readdirSync(store).filter(
    (name) => pattern.test(name.slice(33)) && existsSync(path.join(store, name, having)),
  );
  assert.ok(names.length > 0, `nothing is named like ${pattern}`);
  mkdirSync(away, { recursive: true });
  // mv(1) copies where a rename cannot: from below an overlay.
  const move = (from: string, to: string) =>
    execFileSync('mv', [...names.map((name) => path.join(from, name)), to]);
  move(store, away);
  return () => move(away, store);
}

const tried = sampled(losses, 2);
let explained = 0;

for (const { name, suite, program: wanted, gone, having, reasons, says } of tried) {
  test(`${suite}'s ${wanted}: ${name}`, async () => {
    const program = foreign(rig, suite, wanted);
    await assertStarts(root, program);

    const bringBack = takeAway(root, gone, having);
    const refused = await root.start([program.path, ...program.args]);
    assertRefused(refused, { status: 126, cause: /^/ });
    const verdict = await judge(root, program.path);
    assert.deepEqual(kindsOf(verdict), reasons);
    assertMinimal(verdict);
    assert.match(verdict.sentences.join('; '), says);
    assert.ok(refused.stderr.includes(verdict.sentences.join('; ')), refused.stderr);

    explained++;

    bringBack();
    await assertStarts(root, program);
  });
}

test('every loss is explained, and nothing else was in the way', (t) => {
  t.diagnostic(`${explained} of ${tried.length} programs that cannot start have a minimal explanation`);
  assert.equal(explained, tried.length);
});
