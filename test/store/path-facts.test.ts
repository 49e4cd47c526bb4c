// Nix's answers → facts of the paths that are valid, also where a collector takes one between two questions.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { parseDump, pathFacts } from '../../src/store/path-info.ts';
import { scratchDirectory } from './compiled-library.ts';

const scratch = scratchDirectory();
const [stays, goes] = ['a', 'b'].map((letter) => `/nix/store/${letter.repeat(32)}-${letter}`) as [
  string,
  string,
];
const hash = '0'.repeat(64);
const location = {
  storeDir: '/nix/store',
  stateDir: path.join(scratch, 'no-database'),
  realStoreDir: '/nix/store',
};

/** A nix-store that knows both paths until it is asked what it knows of them. */
function putNix(dump: string): { bin: string; env: Record<string, string> } {
  const script = `#!/bin/sh
cd ${scratch}
case $1 in
--check-validity) if [ -e gone ]; then case "$*" in *${goes}*) echo ${goes} ;; esac; fi ;;
--dump-db) ${dump} ;;
esac
`;
  writeFileSync(path.join(scratch, 'nix-store'), script, { mode: 0o755 });
  return { bin: scratch, env: { PATH: '/usr/bin:/bin' } };
}

test('a path that goes between the questions is left out', async () => {
  const answer = `printf '%s\\n' ${stays} ${hash} 10 '' 1 ${stays}`;
  const dump = `case "$*" in *${goes}*) : > gone; echo "error: path '${goes}' is not valid" >&2; exit 1 ;; esac; ${answer}`;
  const facts = await pathFacts(location, putNix(dump), [stays, goes]);
  assert.deepEqual([...facts], [[stays, { narHash: `sha256:${hash}`, narSize: 10, references: [stays] }]]);
});

test('a Nix that fails for another reason is an error', async () => {
  const nix = putNix("echo 'error: cannot connect' >&2; exit 1");
  await assert.rejects(pathFacts(location, nix, [stays]), { code: 'nix-failed' });
});

test('a dump that is cut off gives what is whole', () => {
  const whole = `${stays}\n${hash}\n10\n\n0\n`;
  assert.equal(parseDump(whole).size, 1);
  assert.equal(parseDump(`${whole}${goes}\n${hash}\n`).size, 1);
});
