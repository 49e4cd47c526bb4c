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

async function resolveUnder(trace: readonly string[]): Promise<{ loader: string; stderr: string }> {
  const argv = [...trace, rig.node, script, 'resolve', '--refresh', jq.path] as unknown as [string];
  const { status, stderr } = await root.runOnHost({ argv });
  assert.equal(status, 0, stderr);
  const explained = await root.runOnHost({ argv: [rig.node, script, 'explain', '--json', jq.path] });
  return { loader: JSON.parse(explained.stdout).loader, stderr };
}

/** `when`: which of the openings of a file fail, as strace(1) has it. */
function failing(file: string, error: string, when: string): string[] {
  const inject = ['-e', `inject=openat:error=${error}:when=${when}`];
  return ['strace', '-f', '-qq', '-o', '/dev/null', '-P', file, '-e', 'trace=openat', ...inject];
}

test('a loader that cannot be opened once is the loader of the set all the same', async () => {
  const { loader } = await resolveUnder([]);
  assert.match(loader, /^\/nix\/store\/.*\/ld-linux-x86-64\.so\.2$/);
  for (const error of ['EIO', 'EMFILE', 'EACCES'])
    assert.deepEqual(await resolveUnder(failing(loader, error, '1')), { loader, stderr: '' }, error);
});

test('one that can never be opened is left out, and who starts the program is told', async () => {
  const { loader } = await resolveUnder([]);
  const after = await resolveUnder(failing(loader, 'EIO', '1+'));
  assert.notEqual(after.loader, loader);
  assert.equal(
    after.stderr,
    `nix-foreign: ${jq.path}: ${loader} cannot be read; until --refresh it starts without ${loader.split('/', 4).join('/')}\n`,
  );
  assert.deepEqual(await resolveUnder([]), { loader, stderr: '' });
});
