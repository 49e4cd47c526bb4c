// A root that cannot be read now → `prune`, `roots` say so: it is not taken for none.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readlinkSync, rmSync, symlinkSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { MANAGER } from '../built-manager.ts';
import { buildFailingCalls, failing } from '../store/failing-calls.ts';

const home = mkdtempSync(path.join(tmpdir(), 'unreadable-'));
after(() => rmSync(home, { recursive: true }));
const link = path.join(home, '.local/state/nix-run-foreign/v1/roots/0123/0123456789abcdef');
mkdirSync(path.dirname(link), { recursive: true });
symlinkSync('/nix/store/00000000000000000000000000000000-x.json', link);
const library = path.join(home, 'failing-calls.so');
buildFailingCalls(library);

for (const command of ['prune', 'roots'])
  test(`${command}: a root that a disk fails to give once`, () => {
    const calls = { call: 'readlink', below: link, errno: constants.errno.EIO, times: 1 } as const;
    const env = { PATH: process.env['PATH'], HOME: home, ...failing(library, calls) };
    const { status, stdout, stderr } = spawnSync(process.execPath, [MANAGER, command], {
      env,
      encoding: 'utf8',
    });
    assert.deepEqual([status, stdout], [125, ''], stderr);
    assert.match(stderr, /^nix-foreign: \S+\/roots\/0123\/0123456789abcdef: readlink: .+\n {2}\S.*\n$/);
    assert.ok(readlinkSync(link));
  });
