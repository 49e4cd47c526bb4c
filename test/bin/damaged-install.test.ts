// An installation in which a file is missing or cut → one line of cause and one of remedy, status 125.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { MANAGER } from '../built-manager.ts';

const scratch = mkdtempSync(path.join(tmpdir(), 'damaged-install-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

const DAMAGES: Readonly<Record<string, (file: string) => void>> = {
  'is missing': (file) => rmSync(file),
  'is cut': (file) => truncateSync(file, 1000),
  'is a directory': (file) => {
    rmSync(file);
    cpSync(import.meta.dirname, file, { recursive: true });
  },
};

for (const [what, damage] of Object.entries(DAMAGES))
  for (const [bundle, words] of [
    ['main.cjs', ['list']],
    ['resolver.cjs', ['resolve', '--from-launcher', '--', '/bin/true']],
  ] as const)
    test(`${bundle} ${what}`, () => {
      const installed = mkdtempSync(path.join(scratch, 'dist-'));
      for (const name of ['nix-foreign.cjs', 'main.cjs', 'resolver.cjs'])
        cpSync(path.join(path.dirname(MANAGER), name), path.join(installed, name));
      damage(path.join(installed, bundle));
      const argv = [path.join(installed, 'nix-foreign.cjs'), ...words];
      const { status, stderr } = spawnSync(process.execPath, argv, { encoding: 'utf8' });
      const name = bundle === 'main.cjs' ? 'nix-foreign' : 'nix-run-foreign';
      assert.equal(status, 125);
      assert.match(
        stderr,
        new RegExp(`^${name}: \\S+${bundle} cannot be read, or is damaged: .+\\n {2}install it again`),
      );
      assert.equal(stderr.split('\n').length, 3);
    });
