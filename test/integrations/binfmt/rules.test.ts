// The rules against real programs: all foreign ones match, nothing that is static, built by Nix or ours does.
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, realpathSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { machineOfSystem, machinesRunBy } from '../../../src/elf/machine.ts';
import { elfFileAt } from '../../../src/elf/open-elf.ts';
import {
  isMatched,
  registration,
  rulesFor,
  takesLoader,
} from '../../../src/integrations/binfmt/binfmt-rules.ts';
import { headOf } from '../../../src/integrations/binfmt/native-programs.ts';
import { builtLauncher } from '../../built-launcher.ts';
import { ensureRig } from '../../rig/rig.ts';
import { compile } from '../../scenarios/compile.ts';

const rig = await ensureRig('full');
const scratch = mkdtempSync(path.join(tmpdir(), 'rules-'));
after(() => rmSync(scratch, { recursive: true, force: true }));
const rules = rulesFor(machinesRunBy('x64'));

function ruleFor(file: string): string | undefined {
  const head = headOf(file);
  return rules.find((rule) => isMatched(rule, head))?.name;
}

/** Real paths of the files directly in directories. */
function filesIn(directories: readonly string[]): string[] {
  const files = directories.flatMap((each) => readdirSync(each).map((name) => path.join(each, name)));
  const real = files.flatMap((file) => {
    try {
      return statSync(file).isFile() ? [realpathSync(file)] : [];
    } catch {
      return []; // a link that leads nowhere
    }
  });
  return [...new Set(real)].sort();
}

const usual = new Map([
  ['/lib64/ld-linux-x86-64.so.2', 'nix-run-foreign-x86_64'],
  ['/lib/ld-linux.so.2', 'nix-run-foreign-i686'],
  ['/lib/ld-musl-x86_64.so.1', 'nix-run-foreign-x86_64-musl'],
]);

test('every program of this machine that names the usual interpreter is reached, and nothing else', (t) => {
  let reached = 0;
  const missed: string[] = [];
  for (const file of filesIn(['/usr/bin', '/usr/sbin'])) {
    const interpreter = elfFileAt(file)?.interpreter ?? '';
    const expected = usual.get(interpreter);
    if (expected === undefined) assert.equal(ruleFor(file), undefined, file);
    else if (ruleFor(file) === expected) reached += 1;
    else missed.push(file);
  }
  t.diagnostic(`${reached} reached, missed: ${missed.join(' ') || 'none'}`);
  assert.ok(reached > 300, `only ${reached} were found`);
  assert.ok(missed.length <= reached * 0.01, missed.join('\n'));
});

test("every one of the rig's foreign programs is reached", () => {
  const missed = rig.foreign.filter(({ path: file }) => ruleFor(file) === undefined);
  assert.deepEqual(
    missed.map(({ path: file }) => file),
    [],
  );
});

test("no program or library of the rig's Nix store is", () => {
  const files = readdirSync(path.join(rig.nixDir, 'store')).flatMap((object) => {
    const directories = ['bin', 'sbin', 'lib', 'libexec'].map((name) =>
      path.join(rig.nixDir, 'store', object, name),
    );
    return directories.flatMap((directory) => {
      try {
        return readdirSync(directory).map((name) => path.join(directory, name));
      } catch {
        return [];
      }
    });
  });
  // Debian's libc.so.6 can be executed, and names Debian's loader; that of nixpkgs names its own.
  const others = files.filter((file) => !/^lib(c|pthread)[-.]/.test(path.basename(file)));
  const heads = others.map((file) => [file, headOf(file)] as const).filter(([, head]) => head[0] === 0x7f);
  assert.ok(heads.length > 300, `only ${heads.length} ELF files were found`);
  const matched = heads.filter(([, head]) => rules.some((rule) => isMatched(rule, head)));
  assert.deepEqual(
    matched.map(([file]) => file),
    [],
  );
});

test('neither static programs nor the launcher are', async () => {
  const source = 'int main(void) { return 0; }';
  const launcher = path.join(scratch, 'launcher');
  await builtLauncher({ output: launcher, node: '/bin/sh', script: '/nowhere' });
  const files = [
    compile(path.join(scratch, 'static'), source, ['-static']),
    compile(path.join(scratch, 'static-pie'), source, ['-static-pie']),
    compile(path.join(scratch, 'library.so'), source, ['-shared', '-fPIC']),
    launcher,
  ];
  for (const file of files) assert.equal(ruleFor(file), undefined, file);
});

for (const flags of [[], ['-no-pie'], ['-fuse-ld=gold'], ['-fuse-ld=gold', '-no-pie'], ['-s']])
  test(`programs linked with ${flags.join(' ') || 'the usual options'} are`, () => {
    const file = compile(path.join(scratch, 'linked'), 'int main(void) { return 0; }', flags);
    assert.equal(ruleFor(file), 'nix-run-foreign-x86_64');
  });

test('another length of the name, or another place of the header, is no match', () => {
  const source = 'int main(void) { return 0; }';
  const named = (name: string) =>
    ruleFor(compile(path.join(scratch, 'named'), source, [`-Wl,--dynamic-linker=${name}`]));
  assert.equal(named('/lib64/ld-linux-x86-64.so.2'), 'nix-run-foreign-x86_64');
  assert.equal(named('/lib64/ld-linux-x86-64.so.22'), undefined);
  assert.equal(named(`/nix/store/${'x'.repeat(32)}-glibc-2.40/lib/ld-linux-x86-64.so.2`), undefined);
  const head = Uint8Array.from(headOf(path.join(scratch, 'named')));
  head[18] = 40;
  assert.ok(!rules.some((rule) => isMatched(rule, head)));
  assert.ok(!rules.some((rule) => isMatched(rule, new Uint8Array(0))));
});

test('a registration is a line that the kernel takes: short enough, the mask as long as the magic', () => {
  for (const system of ['x86_64-linux', 'i686-linux', 'aarch64-linux', 'armv7l-linux', 'powerpc64-linux']) {
    const machine = machineOfSystem(system);
    for (const rule of machine === undefined ? assert.fail(system) : rulesFor([machine])) {
      assert.equal(rule.mask.length, rule.magic.length);
      for (const [index, byte] of rule.magic.entries())
        assert.equal(byte & ~(rule.mask[index] ?? 0), 0, `${rule.name}: byte ${index} counts and is masked`);
      const line = registration(rule, `/${'x'.repeat(126)}`, 'PF');
      assert.ok(line.length < 1920, `${rule.name}: ${line.length}`);
      assert.equal(line.split(':').length, 8);
      assert.ok(rule.magic.length <= 256);
      assert.match(rule.name, /^nix-run-foreign-[a-z0-9_-]+$/);
    }
  }
});

test('AppImages by their type, and only those of the machine', () => {
  const named = compile(path.join(scratch, 'image'), 'int main(void) { return 0; }', ['-static']);
  for (const type of [1, 2, 3]) {
    const head = Uint8Array.from(headOf(named));
    head.set([0x41, 0x49, type], 8);
    const found = rules.find((rule) => isMatched(rule, head));
    assert.equal(found?.name, type === 3 ? undefined : `nix-run-foreign-appimage-${type}-x86_64`);
    assert.equal(found && takesLoader(found), type === 3 ? undefined : false);
    head[18] = 183;
    assert.equal(
      rules.find((rule) => isMatched(rule, head)),
      undefined,
    );
  }
});

test('only programs of the class of the launcher can have it loaded in the place of their interpreter', () => {
  const rules = rulesFor(machinesRunBy('x64')).filter(({ name }) => !name.includes('appimage'));
  assert.deepEqual(
    rules.filter(takesLoader).map(({ name }) => name.includes('i686')),
    rules.filter(({ name }) => !name.includes('i686')).map(() => false),
  );
  assert.ok(rules.some((rule) => rule.name.includes('i686') && !takesLoader(rule)));
});
