// 32-bit programs in a view of a 64-bit machine: started themselves, and as children of a shell beside 64-bit ones.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { on32Bit } from '../../launcher/tool-fixture.ts';
import { ensureRig } from '../../rig/rig.ts';
import { foreign } from '../foreign-files.ts';
import { openViewRoot, USER } from './view-root.ts';

const rig = await ensureRig('full');
const small = rig.foreign.find(({ architecture }) => architecture === 'i386');
const large = foreign(rig, 'bookworm', 'redis-cli');

for (const uid of [0, USER]) {
  const root = await openViewRoot(rig, { interpreter: 'none', uid });

  test(`as ${uid === 0 ? 'root' : 'a user'}`, on32Bit, async () => {
    assert.ok(small, 'the rig has a 32-bit program');
    assert.equal((await root.bare(small.path, small.args)).status, 127);
    const both = `${small.path} ${small.args.join(' ')} 2>&1\n${large.path} --version`;
    for (const start of [root.start, root.startHit]) {
      const tree = await start([rig.bash, '-c', both]);
      assert.match(tree.stdout, small.expect, tree.stderr);
      assert.match(tree.stdout, large.expect, tree.stderr);
    }
    const alone = await root.start(['--strategy', 'view', small.path, ...small.args]);
    assert.equal(alone.status, 0, alone.stderr);
    assert.match(alone.stdout + alone.stderr, small.expect);
    const { stdout } = await root.manage(['explain', small.path, '--json']);
    assert.equal(JSON.parse(stdout).strategy, 'view');
  });
}
