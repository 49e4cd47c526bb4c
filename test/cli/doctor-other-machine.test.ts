// A program that starts a 32-bit child → what the child asked for and did not get is told for the child's machine.
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import type { Check } from '../../src/cli/doctor/checks.ts';
import { examineRun } from '../../src/cli/doctor/examine-run.ts';
import { machinesRunBy } from '../../src/elf/machine.ts';
import type { LaunchPlan } from '../../src/plan/plan-format.ts';
import type { Context } from '../../src/resolve/context.ts';
import { needCompilerFor32Bit, on32Bit } from '../launcher/tool-fixture.ts';
import { compileLibrary, compileProgram, objectName, scratchDirectory } from '../store/compiled-library.ts';

const OPEN = `#include <dlfcn.h>
int main(int argc, char **argv) {
  for (int i = 1; i < argc; i++) dlopen(argv[i], RTLD_NOW);
  return 0;
}`;
const SPAWN = `#include <sys/wait.h>
#include <unistd.h>
#include <dlfcn.h>
int main(int argc, char **argv) {
  dlopen("libcurl.so.9", RTLD_NOW);
  if (fork() == 0) execvp(argv[1], argv + 1);
  return wait(0) < 0;
}`;

const options = process.arch === 'x64' ? on32Bit : { skip: 'for x86-64' };

test('a 32-bit child: the store is asked for its machine, and so is Nix', options, async () => {
  needCompilerFor32Bit();
  const scratch = scratchDirectory();
  const at = (name: string) => path.join(scratch, name);
  const [own] = machinesRunBy(process.arch);
  assert.ok(own);
  compileProgram(at('bin/parent'), { source: SPAWN });
  compileProgram(at('bin/child'), { source: OPEN, flags: ['-m32'] });
  const put = (object: string, name: string, flags: readonly string[] = []) =>
    compileLibrary(path.join(at('store'), objectName(object), 'lib', name), { soname: name, flags });
  put('zstd-1', 'libzstd.so.1');
  put('both-1', 'libboth.so.1');
  put('both-1-32', 'libboth.so.1', ['-m32']);
  compileLibrary(at('bin/lib/libbeside.so.1'), { soname: 'libbeside.so.1', flags: ['-m32'] });
  const context = {
    env: { PATH: `${at('bin')}:${process.env['PATH']}` },
    host: { storeDir: at('store'), hostMachines: [own], uid: process.geteuid?.() ?? 0, gid: 0 },
    location: { storeDir: at('store'), stateDir: at('state') },
  } as unknown as Context;
  process.env['XDG_CACHE_HOME'] = at('cache');
  process.env['XDG_STATE_HOME'] = at('state-home');

  const remedies = async (...args: readonly string[]): Promise<Map<string, string>> => {
    const program = {
      typedName: at('bin/parent'),
      args,
      plan: {} as LaunchPlan,
      remedyOfChildren: undefined,
    };
    const checks: readonly Check[] = await examineRun(program, context, '/usr/bin/env', 'stderr');
    const found = checks.filter(({ subject }) => subject === 'library');
    return new Map(found.map(({ detail, remedy }) => [detail.split(',')[0] ?? '', remedy ?? '']));
  };
  for (const child of [at('bin/child'), 'child']) {
    const told = await remedies(child, 'libzstd.so.1', 'libboth.so.1', 'libbeside.so.1');
    const bring = "nothing in the store has it: e.g. nix-build '<nixpkgs>'";
    assert.equal(told.get('libzstd.so.1'), `${bring} --argstr system i686-linux -A zstd.out, and try again`);
    assert.match(told.get('libcurl.so.9') ?? '', /: e\.g\. nix-build '<nixpkgs>' -A /);
    const choose = `nix-foreign choose ${at('bin/child')} --add`;
    assert.equal(told.get('libboth.so.1'), `${choose} libboth.so.1`);
    assert.equal(told.get('libbeside.so.1'), `${choose} libbeside.so.1=${at('bin/lib/libbeside.so.1')}`);
  }

  // Who asks may be a library of the child, of which nobody knows whose it is.
  compileLibrary(at('bin/lib/libasks.so.1'), {
    soname: 'libasks.so.1',
    needs: [path.join(at('store'), objectName('both-1-32'), 'lib/libboth.so.1')],
    flags: ['-m32'],
  });
  const told = await remedies(at('bin/child'), at('bin/lib/libasks.so.1'));
  assert.equal(told.get('libboth.so.1'), 'nix-foreign choose PROGRAM --add libboth.so.1');
});
