// A file of the store that cannot be read once, as on a failing disk or for want of descriptors, while a set is laid
// out → the same set: another one would be kept for good.
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { needTool } from '../../launcher/tool-fixture.ts';
import { ensureRig } from '../../rig/rig.ts';
import { foreign } from '../foreign-files.ts';
import { openToolRoot } from '../tool.ts';

needTool('strace', 'strace');
const rig = await ensureRig('full');
const root = await openToolRoot(rig);
const jq = foreign(rig, 'bookworm', 'jq');
const script = path.resolve(import.meta.dirname, '../../../dist/nix-foreign.cjs');

async function loaderAfter(trace: readonly string[]): Promise<string> {
  const argv = [...trace, rig.node, script, 'resolve', '--refresh', jq.path] as unknown as [string];
  const { status, stderr } = await root.runOnHost({ argv });
  assert.deepEqual([status, stderr], [0, '']);
  const explained = await root.runOnHost({ argv: [rig.node, script, 'explain', '--json', jq.path] });
  return JSON.parse(explained.stdout).loader;
}

test('a loader that cannot be opened once is the loader of the set all the same', async () => {
  const loader = await loaderAfter([]);
  assert.match(loader, /^\/nix\/store\/.*\/ld-linux-x86-64\.so\.2$/);
  for (const error of ['EIO', 'EMFILE', 'EACCES']) {
    const inject = ['-e', `inject=openat:error=${error}:when=1`];
    const trace = ['strace', '-f', '-qq', '-o', '/dev/null', '-P', loader, '-e', 'trace=openat', ...inject];
    assert.equal(await loaderAfter(trace), loader, error);
  }
});
