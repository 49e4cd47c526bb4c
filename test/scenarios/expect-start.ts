// A foreign program and a root → that it fails bare, and runs with us.
import assert from 'node:assert/strict';
import type { ForeignProgram } from '../rig/foreign.ts';
import type { ToolRoot } from './tool.ts';

/** Starts the program as it is, which must fail, and through the tool, which must print what is expected. */
export async function assertStarts(root: ToolRoot, { path, args, expect }: ForeignProgram): Promise<void> {
  assert.equal((await root.bare(path, args)).status, 127);
  const { status, stdout, stderr } = await root.start([path, ...args]);
  assert.match(stdout + stderr, expect);
  assert.equal(status, 0, stderr);
}
