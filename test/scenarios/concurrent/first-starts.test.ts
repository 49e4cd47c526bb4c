// Many first starts at the same time: of one program, which is resolved once, and of different ones.
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { ensureRig } from '../../rig/rig.ts';
import { homeInRoot } from '../../rig/root.ts';
import { foreign } from '../foreign-files.ts';
import { farmNames, planFiles, rootLinks } from '../saved-state.ts';
import { launcher, openToolRoot } from '../tool.ts';

const rig = await ensureRig('full');
const jq = foreign(rig, 'bookworm', 'jq');
const MANY = 20;

const one = await openToolRoot(rig, { catalogue: 'none' });
test('twenty first starts of one program: Nix is asked once', async () => {
  const bin = path.join(one.homeDir, 'bin');
  mkdirSync(bin);
  for (const command of ['nix-store', 'nix-instantiate']) {
    const wrapper = `#!${rig.bash}\necho ${command} >> ~/asked\nexec ${rig.nixBin}/${command} "$@"\n`;
    writeFileSync(path.join(bin, command), wrapper);
    chmodSync(path.join(bin, command), 0o755);
  }
  assert.equal((await one.bare(jq.path, jq.args)).status, 127);
  const script = `for i in {1..${MANY}}; do ${launcher} ${jq.path} -n 6*7 & done; wait`;
  const { stdout, stderr } = await one.run({
    argv: [rig.bash, '-c', script],
    env: { PATH: `${homeInRoot}/bin` },
  });
  assert.deepEqual([stdout, stderr], ['42\n'.repeat(MANY), '']);
  const asked = readFileSync(path.join(one.homeDir, 'asked'), 'utf8').trim().split('\n');
  assert.equal(asked.filter((command) => command === 'nix-instantiate').length, 1, asked.join(' '));
  assert.deepEqual([planFiles(one).length, rootLinks(one).length, farmNames(one).length], [1, 1, 1]);
});

const several = await openToolRoot(rig, { catalogue: 'none' });
test('first starts of ten programs, three of each', async () => {
  const programs = rig.foreign.slice(0, 10);
  const lines = programs.flatMap(({ path: program, args }, index) => {
    const words = [program, ...args].map((word) => `'${word}'`).join(' ');
    return [1, 2, 3].map((copy) => `${launcher} ${words} > ~/${index}.${copy} 2>&1 &`);
  });
  const { status, stderr } = await several.run({
    argv: [rig.bash, '-c', `${lines.join('\n')}\nwait`],
    timeoutMs: 120_000,
  });
  assert.deepEqual([status, stderr], [0, '']);
  for (const [index, { expect }] of programs.entries()) {
    for (const copy of [1, 2, 3]) {
      const output = readFileSync(path.join(several.homeDir, `${index}.${copy}`), 'utf8');
      assert.match(output, expect);
      assert.doesNotMatch(output, /^nix-run-foreign: /m);
    }
  }
  assert.equal(rootLinks(several).length, programs.length);
});
