// Programs of Debian and of npm, and one with libraries of its own, by each strategy that keeps /proc/self/exe.
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { ensureNpmPrograms } from '../../rig/npm/programs.ts';
import { ensureRig } from '../../rig/rig.ts';
import { homeInRoot } from '../../rig/root.ts';
import { compile, compileLibrary } from '../compile.ts';
import { onHost } from '../foreign-files.ts';
import { openToolRoot } from '../tool.ts';

const rig = await ensureRig('full');
const npm = await ensureNpmPrograms();
/** Some of Debian's for this machine: another scenario starts all of them by the launcher as interpreter. */
const debian = rig.foreign.filter(({ architecture }, index) => architecture === 'amd64' && index % 8 === 0);
/** lld linked it, which leaves no room between segments. */
const linkedByLld = npm.programs.filter(({ name }) => name === 'biome');
const programs = [...debian, ...linkedByLld];

for (const [strategy, interpreter] of [
  ['patched', 'none'],
  ['namespace', 'stub-ld'],
] as const) {
  const root = await openToolRoot(rig, { interpreter, binds: npm.binds });
  for (const { name, suite, path: program, args, expect } of programs)
    test(`${suite}'s ${name}, ${strategy}`, async () => {
      assert.notEqual((await root.bare(program, args)).status, 0);
      const resolved = await root.manage(['resolve', '--strategy', strategy, program]);
      assert.match(resolved.stdout, new RegExp(`strategy ${strategy}\\n$`), resolved.stderr);
      const { status, stdout, stderr } = await root.startHit([program, ...args]);
      assert.match(stdout + stderr, expect);
      assert.equal(status, 0, stderr);
    });

  test(`libraries and files beside and above the program, ${strategy}`, async () => {
    const place = path.join(homeInRoot, 'vendor');
    const on = (file: string) => onHost(root, path.join(place, file));
    compileLibrary(on('lib/libup.so.1'), 'libup.so.1', 'int up(void) { return 4; }');
    compileLibrary(on('bin/own/libown.so.1'), 'libown.so.1', 'int own(void) { return 3; }');
    const source = `#include <stdio.h>\n#include <string.h>\n#include <unistd.h>
      int up(void); int own(void);
      int main(void) {
        char file[4096] = {0};
        if (readlink("/proc/self/exe", file, sizeof file - 20) < 0) return 1;
        strcpy(strrchr(file, '/'), "/own/libown.so.1"); // as programs find their resources
        printf("%d %d\\n", up() + own(), access(file, R_OK));
        return 0;
      }`;
    const flags = ['-Wl,-rpath,$ORIGIN/../lib:$ORIGIN/own', '-Wl,--enable-new-dtags'];
    compile(on('bin/program'), source, [on('lib/libup.so.1'), on('bin/own/libown.so.1'), ...flags]);
    const { stdout, stderr } = await root.start(['--strategy', strategy, path.join(place, 'bin/program')]);
    assert.equal(stdout, '7 0\n', stderr);
    const plan = await root.manage(['explain', path.join(place, 'bin/program')]);
    assert.match(plan.stdout, new RegExp(`^strategy {2}${strategy}$`, 'm'));
  });
}
