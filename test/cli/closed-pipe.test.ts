// A reader that has read enough → the command ends silently by SIGPIPE, as git and ls do.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { FROM_SOURCES } from '../from-sources.ts';
import { scratchDirectory } from '../store/compiled-library.ts';

const scratch = scratchDirectory();
const home = path.join(scratch, 'home');
mkdirSync(home);
const node = [process.execPath, ...FROM_SOURCES].join(' ');
const program = (name: string) => path.join(import.meta.dirname, 'programs', `${name}.ts`);

for (const words of [
  [program('nix-foreign'), 'list'],
  [program('nix-foreign'), 'list', '--json'],
  [program('nix-foreign'), 'doctor'],
  [program('nix-foreign'), 'explain', '--json', '/bin/sh', '--nonsense'],
  [program('nix-foreign'), '--help'],
  [program('nix-foreign'), '--version'],
])
  test(words.map((word) => path.basename(word)).join(' '), () => {
    // The reader is gone before the command starts: `read` ends at once, and the pipe has no other reader.
    const line = `{ until [ -e ${scratch}/gone ]; do sleep 0.01; done; ${node} ${words.join(' ')}; echo $? >&3; } | { exec <&-; : > ${scratch}/gone; }`;
    const { stdout, stderr } = spawnSync('bash', ['-c', `rm -f ${scratch}/gone; { ${line}; } 3>&1`], {
      encoding: 'utf8',
      timeout: 30_000,
      env: { PATH: process.env['PATH'], HOME: home, NIX_STORE_DIR: path.join(scratch, 'store') },
    });
    const told = words.includes('--nonsense') ? /^nix-foreign: [^\n]*--nonsense[^\n]*\n {2}.*\n$/ : /^$/;
    assert.equal(stdout, '141\n');
    assert.match(stderr, told);
  });
