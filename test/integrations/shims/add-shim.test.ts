// Names for a shim → the shim, or why no command can be called so.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { addShim, type Shimming } from '../../../src/integrations/shims/add-shim.ts';
import { scratchDirectory } from '../../store/compiled-library.ts';

const scratch = scratchDirectory();
const at = (name: string): string => path.join(scratch, name);
const script = at('script');
writeFileSync(script, '#!/bin/sh\n', { mode: 0o755 });
const shimming: Shimming = {
  directories: { shims: at('shims'), names: at('names'), applications: at('applications') },
  host: { storeDir: '/nix/store', hostMachines: [], uid: 0, gid: 0 },
  launcher: at('launcher'),
  searchPath: undefined,
};

test('a name that no directory can hold is refused with the remedy', () => {
  for (const [name, bytes] of [
    ['x'.repeat(300), 300],
    ['ä'.repeat(101), 202],
  ] as const)
    assert.throws(() => addShim({ typedName: script, as: name }, shimming), {
      name: 'ForeignError',
      code: 'bad-name',
      message: `a name of ${bytes} bytes is too long for a command`,
      hint: 'name it with --as in at most 200 bytes, e.g. --as tool',
    });
  const longest = 'x'.repeat(200);
  assert.equal(addShim({ typedName: script, as: longest }, shimming).name, longest);
});
