// Places of one launcher → the path that shims and rules name.
import assert from 'node:assert/strict';
import { chmodSync, copyFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { launcherPaths } from '../../src/cli/lasting-launcher.ts';
import { scratchDirectory } from '../store/compiled-library.ts';

const scratch = scratchDirectory();
const NAME = 'nix-run-foreign';
const object = path.join(scratch, 'store', `${'0'.repeat(32)}-nix-run-foreign-0.1.0`);
const [own, inStore, profile, copy] = [`${object}/lib`, `${object}/bin`, 'profile', 'copy'].map((each) =>
  path.resolve(scratch, each, NAME),
) as [string, string, string, string];
for (const each of [own, inStore, profile, copy]) mkdirSync(path.dirname(each), { recursive: true });
writeFileSync(own, '');
chmodSync(own, 0o755);
symlinkSync(own, inStore);
symlinkSync(inStore, profile);
copyFileSync(own, copy);

const paths = (...files: string[]) => launcherPaths(own, files.map(path.dirname).join(':'));

test("a profile's link is before the store's own, wherever it stands on PATH", () => {
  assert.deepEqual(paths(inStore, profile), [profile, inStore, own]);
  assert.deepEqual(paths(profile, inStore), [profile, inStore, own]);
});

test('where there is none, the first of PATH, then the file itself', () => {
  assert.deepEqual(paths(inStore), [inStore, own]);
  assert.deepEqual(paths('/nowhere/x'), [own]);
});

test('another launcher, and a relative directory, do not count', () => {
  assert.deepEqual(paths(copy, inStore), [inStore, own]);
  assert.deepEqual(launcherPaths(own, path.relative('.', path.dirname(profile))), [own]);
});
