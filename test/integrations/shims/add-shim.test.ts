// Names for a shim → the shim, or why no command can be called so.
import assert from 'node:assert/strict';
import { chownSync, lstatSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { temporaryName } from '../../../src/host/atomic-file.ts';
import { addShim, type Shimming } from '../../../src/integrations/shims/add-shim.ts';
import { shimText } from '../../../src/integrations/shims/shim-file.ts';
import { asRoot } from '../../launcher/tool-fixture.ts';
import { scratchDirectory } from '../../store/compiled-library.ts';

const scratch = scratchDirectory();
const at = (name: string): string => path.join(scratch, name);
const script = at('script');
writeFileSync(script, '#!/bin/sh\n', { mode: 0o755 });
const shimming: Shimming = {
  directories: {
    shims: at('shims'),
    names: at('names'),
    applications: at('applications'),
    icons: at('icons'),
  },
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

test('what killed ones left goes, also beside the links to programs of another name', () => {
  for (const directory of [at('shims'), at('names')]) {
    mkdirSync(directory, { recursive: true });
    // A process id that the kernel gives to none (proc(5), pid_max).
    const left = temporaryName(path.join(directory, 'left')).replace(/\.\d+(\.\d+\.tmp)$/, '.4194304$1');
    writeFileSync(left, '');
  }
  assert.equal(addShim({ typedName: script, as: 'other' }, shimming).name, 'other');
  for (const directory of [at('shims'), at('names')])
    assert.deepEqual(
      readdirSync(directory).filter((name) => name.endsWith('.tmp')),
      [],
      directory,
    );
});

test('a shim of somebody else is made anew as ours, and leads nowhere else', asRoot, () => {
  const { file } = addShim({ typedName: script }, shimming);
  chownSync(file, 65534, 65534);
  assert.equal(addShim({ typedName: script }, shimming).target, script);
  assert.equal(lstatSync(file).uid, 0);
  writeFileSync(file, shimText(shimming.launcher, at('other-program')));
  chownSync(file, 65534, 65534);
  assert.throws(() => addShim({ typedName: script }, shimming), { code: 'taken' });
});
