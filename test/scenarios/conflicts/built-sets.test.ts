// Libraries without a coherent set: refused with a minimal explanation, and started when the missing build is there.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ensureRig } from '../../rig/rig.ts';
import { homeInRoot } from '../../rig/root.ts';
import { sampled } from '../../sample.ts';
import { openShop } from '../diamonds/shop.ts';
import { assertRefused } from '../expect-failure.ts';
import { onHost } from '../foreign-files.ts';
import { openToolRoot } from '../tool.ts';
import { builtConflicts } from './built-sets.ts';
import { assertMinimal, judge, kindsOf } from './verdict.ts';

const rig = await ensureRig('full');
const root = await openToolRoot(rig);
const shop = openShop(root);

for (const { name, reasons, says, build, output } of sampled(builtConflicts, 2)) {
  test(name, async () => {
    const { program, remedy } = await build(shop);
    assert.notEqual((await root.bare(program)).status, 0);
    const refused = await root.start([program]);
    assertRefused(refused, { status: 126, cause: says });
    const verdict = await judge(root, onHost(root, program));
    assert.deepEqual(kindsOf(verdict), reasons);
    assertMinimal(verdict);
    for (const sentence of verdict.sentences) {
      assert.ok(refused.stderr.includes(sentence.replace(root.homeDir, homeInRoot)), refused.stderr);
    }

    await remedy();
    const outcome = await root.start([program]);
    assert.deepEqual([outcome.status, outcome.stdout, outcome.stderr], [0, `${output}\n`, '']);
  });
}
