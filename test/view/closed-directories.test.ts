// Directories that the user may not look into, in PATH and beside a program → they are passed over.
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { commandDirectories } from '../../src/view/shown-programs.ts';
import { foreignRelative } from '../../src/view/wants-view.ts';
import { asRoot } from '../launcher/tool-fixture.ts';

const directory = realpathSync(mkdtempSync(path.join(tmpdir(), 'closed-directories-')));
after(() => rmSync(directory, { recursive: true }));
chmodSync(directory, 0o755);
const at = (name: string): string => path.join(directory, name);
for (const name of ['open', 'bin', 'libexec', 'home/bin']) mkdirSync(at(name), { recursive: true });
writeFileSync(at('libexec/program'), '', { mode: 0o755 });
symlinkSync('loop', at('loop'));
const NOBODY = 65534;

/** As a user for whom `home` and what is in `libexec` are closed; the latter can be listed. */
function asNobody<T>(ask: () => T): T {
  chmodSync(at('home'), 0o700);
  chmodSync(at('libexec'), 0o744);
  process.seteuid?.(NOBODY);
  try {
    return ask();
  } finally {
    process.seteuid?.(0);
  }
}

test('a loop of links in PATH', () => {
  const shown = commandDirectories([at('loop'), at('open')].join(':'), process.getuid?.() ?? 0, []);
  assert.deepEqual(shown.slice(0, 1), [at('open')]);
});

test('a directory of PATH in a closed home', asRoot, () => {
  const searchPath = [at('home/bin'), at('open')].join(':');
  const shown = asNobody(() => commandDirectories(searchPath, NOBODY, []));
  assert.deepEqual(shown.slice(0, 1), [at('open')]);
});

test('a directory beside the program that can be listed only', asRoot, () => {
  assert.equal(
    asNobody(() => foreignRelative(at('bin/program'), {})),
    undefined,
  );
});
