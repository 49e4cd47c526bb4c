// A start that ld.so itself ends, in a shell with the hook: the next line on the terminal says what to type.
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, test } from 'node:test';
import { needTool } from '../../launcher/tool-fixture.ts';
import { ensureRig } from '../../rig/rig.ts';
import { homeInRoot } from '../../rig/root.ts';
import { compile, compileLibrary } from '../compile.ts';
import { onHost } from '../foreign-files.ts';
import { openToolRoot } from '../tool.ts';
import { furnishHome, hookLine, openShell, shellBinds } from './shell-session.ts';

needTool('/usr/bin/zsh', 'zsh');
needTool('/usr/bin/fish', 'fish');
const rig = await ensureRig('full');
const root = await openToolRoot(rig, { binds: shellBinds });
furnishHome(root);
const on = (name: string) => onHost(root, path.join(homeInRoot, name));
const stub = compileLibrary(
  on('stubs/libz.so.1'),
  'libz.so.1',
  'const char *zlibVersion(void) { return ""; }',
);
const source = `const char *zlibVersion(void);
int main(int argc, char **argv) { return argc > 1 ? 127 : zlibVersion()[0] != '1'; }`;
compile(on('zz'), source, [stub]);
const gone = compileLibrary(on('stubs/libgone.so.1'), 'libgone.so.1', 'int gone;');
compileLibrary(on('shadow/libz.so.1'), 'libz.so.1', 'int none;', ['-Wl,--no-as-needed', gone]);
await root.start(['--strategy', 'loader', `${homeInRoot}/zz`]);

const told =
  /^nix-run-foreign: \.\/zz ended with 127; what it misses: (nix-foreign doctor \.\/zz --)( a b)?$/m;

for (const shell of ['bash', 'zsh', 'fish'] as const) {
  const set = shell === 'fish' ? 'set -gx LD_LIBRARY_PATH ~/shadow' : 'export LD_LIBRARY_PATH=~/shadow';
  test(shell, async () => {
    const session = await openShell(root, shell, hookLine[shell]);
    after(() => session.close());
    assert.deepEqual(await session.run('./zz'), { output: '', status: 0 });
    const own = await session.run('./zz a b');
    assert.equal(own.status, 127);
    assert.equal(told.exec(own.output)?.[2], ' a b', own.output);
    assert.doesNotMatch((await session.run('./zz a b | cat')).output, /doctor/);
    assert.doesNotMatch((await session.run('./zz a b 2> /dev/null')).output, /doctor/);
    assert.doesNotMatch((await session.run('nowhere-to-be-found')).output, /doctor/);
    await session.run(set);
    const refused = await session.run('./zz');
    assert.equal(refused.status, 127);
    assert.match(refused.output, /libgone\.so\.1: cannot open shared object file[^\n]*\nnix-run-foreign: /);
    const line =
      told.exec(refused.output.replace(/\s*\n(?! *nix-run)/g, ''))?.[1] ?? assert.fail(refused.output);
    const answer = await session.run(line);
    assert.match(answer.output, /env -u LD_LIBRARY_PATH nix-run-foreign/);
  });
}
