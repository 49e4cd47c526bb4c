// A reader that has read enough → the command ends silently by SIGPIPE, as git and ls do.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { MANAGER } from '../built-manager.ts';
import { scratchDirectory } from '../store/compiled-library.ts';

const scratch = scratchDirectory();
const home = path.join(scratch, 'home');
mkdirSync(home);

for (const words of [
  ['list'],
  ['list', '--json'],
  ['doctor'],
  ['explain', '--json', '/bin/sh', '--nonsense'],
  ['--help'],
  ['--version'],
])
  test(`nix-foreign ${words.join(' ')}`, () => {
    // The reader is gone before the command starts: `read` ends at once, and the pipe has no other reader.
    const line = `{ until [ -e ${scratch}/gone ]; do sleep 0.01; done; ${process.execPath} ${MANAGER} ${words.join(' ')}; echo $? >&3; } | { exec <&-; : > ${scratch}/gone; }`;
    const { stdout, stderr } = spawnSync('bash', ['-c', `rm -f ${scratch}/gone; { ${line}; } 3>&1`], {
      encoding: 'utf8',
      timeout: 30_000,
      env: { PATH: process.env['PATH'], HOME: home, NIX_STORE_DIR: path.join(scratch, 'store') },
    });
    const told = words.includes('--nonsense') ? /^nix-foreign: [^\n]*--nonsense[^\n]*\n {2}.*\n$/ : /^$/;
    assert.equal(stdout, '141\n');
    assert.match(stderr, told);
  });
