// Programs that are not 64-bit glibc programs: each starts as it must, or is refused with the reason.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { needTool, on32Bit } from '../../launcher/tool-fixture.ts';
import { ensureRig } from '../../rig/rig.ts';
import { homeInRoot, type Outcome } from '../../rig/root.ts';
import { compile } from '../compile.ts';
import { assertRefused } from '../expect-failure.ts';
import { foreign, onHost } from '../foreign-files.ts';
import { rootLinks } from '../saved-state.ts';
import { openToolRoot, type ToolRoot } from '../tool.ts';

needTool('musl-gcc', 'musl-tools');
const rig = await ensureRig('full');
const place = path.join(homeInRoot, 'kinds');
const hello = '#include <stdio.h>\nint main(int c, char **v) { return puts(c > 1 ? v[1] : v[0]) < 0; }';
const withoutLibc = `void _start(void) {
  long result;
  __asm__ volatile("syscall" : "=a"(result) : "a"(1), "D"(1), "S"("so\\n"), "d"(3) : "rcx", "r11", "memory");
  __asm__ volatile("syscall" : : "a"(60), "D"(0));
}`;
const muslLoader = '/lib/ld-musl-x86_64.so.1';

/** No Node can be started, and no plan is there: a static program needs neither. */
const withoutResolver = { env: { NIX_RUN_FOREIGN_RESOLVER: '/nowhere/nix-foreign' } };

async function strategyOf(root: ToolRoot, program: string): Promise<string> {
  const { stdout, stderr } = await root.manage(['explain', program, '--json']);
  assert.equal(stderr, '');
  return (JSON.parse(stdout) as { strategy: string }).strategy;
}

function assertSays({ status, stdout, stderr }: Outcome, text: string): void {
  assert.deepEqual([status, stdout, stderr], [0, text, '']);
}

for (const interpreter of ['none', 'nix-ld', 'stub-ld'] as const) {
  const root = await openToolRoot(rig, { interpreter });
  const on = (name: string) => onHost(root, path.join(place, name));
  const script = (name: string, line: string) => {
    writeFileSync(on(name), `${line}\necho "so $1"\n`);
    chmodSync(on(name), 0o755);
  };
  mkdirSync(on('.'));
  compile(on('static'), hello, ['-static']);
  compile(on('static-pie'), hello, ['-static-pie']);
  compile(on('without-libc'), withoutLibc, ['-static', '-nostdlib', '-fno-stack-protector']);
  // A program for musl: no start files and no library of glibc, musl's own name for the C library.
  compile(path.join(root.homeDir, 'libc.so'), 'int puts(const char *s) { return 0; } void exit(int n) {}', [
    ...['-shared', '-nostdlib', '-fPIC', '-fno-builtin', '-Wl,-soname,libc.musl-x86_64.so.1'],
  ]);
  compile(
    on('musl'),
    'int puts(const char *); _Noreturn void exit(int);\n__attribute__((force_align_arg_pointer)) void _start(void) { exit(puts("so") < 0); }',
    [
      ...['-nostdlib', '-fno-builtin', `-Wl,--dynamic-linker=${muslLoader}`],
      path.join(root.homeDir, 'libc.so'),
    ],
  );
  script('script', `#!${rig.bash}`);
  const name = (what: string) => `${what}, interpreter: ${interpreter}`;

  for (const kind of ['static', 'static-pie'])
    test(name(kind), async () => {
      const program = path.join(place, kind);
      assertSays(await root.bare(program, ['so']), 'so\n');
      assertSays(await root.start([program, 'so'], withoutResolver), 'so\n');
      assert.equal(await strategyOf(root, program), 'direct');
    });

  test(name('static without a C library, as Go makes them'), async () => {
    const program = path.join(place, 'without-libc');
    assertSays(await root.start([program], withoutResolver), 'so\n');
    assert.equal(await strategyOf(root, program), 'direct');
  });

  test(name('a script'), async () => {
    const program = path.join(place, 'script');
    assertSays(await root.start([program, 'far']), 'so far\n');
    assertSays(await root.startHit([program, 'far']), 'so far\n');
  });

  test(name('a program built by Nix'), async () => {
    assertSays(await root.start([rig.bash, '-c', 'echo so']), 'so\n');
    assertSays(await root.startHit([rig.bash, '-c', 'echo so']), 'so\n');
    // A Nix program's children may be foreign: where nothing serves them, it gets a view.
    assert.equal(await strategyOf(root, rig.bash), interpreter === 'nix-ld' ? 'direct' : 'view');
    assert.deepEqual(rootLinks(root), []);
  });

  test(name('a 32-bit program'), on32Bit, async () => {
    const bzip2 = foreign(rig, 'bookworm', 'bzip2-32');
    assert.notEqual((await root.bare(bzip2.path, bzip2.args)).status, 0);
    for (const start of [root.start, root.startHit]) {
      const { status, stdout, stderr } = await start([bzip2.path, ...bzip2.args]);
      assert.equal(status, 0, stderr);
      assert.match(stdout + stderr, bzip2.expect);
      assert.doesNotMatch(stderr, /^nix-run-foreign: /m);
    }
    const { stdout } = await root.manage(['explain', bzip2.path]);
    assert.match(stdout, /i686-linux/);
  });

  test(name('a program for musl'), async () => {
    const program = path.join(place, 'musl');
    assert.notEqual((await root.bare(program)).status, 0);
    assertSays(await root.start([program]), 'so\n');
    assertSays(await root.startHit([program]), 'so\n');
    assert.equal(await strategyOf(root, program), 'loader');
  });

  test(name('a program that musl-gcc makes, with an argument'), async () => {
    const program = path.join(place, 'of-musl-tools');
    execFileSync('musl-gcc', ['-x', 'c', '-o', on('of-musl-tools'), '-'], { input: hello });
    assert.notEqual((await root.bare(program, ['so'])).status, 0);
    assertSays(await root.start([program, 'so']), 'so\n');
    assertSays(await root.startHit([program, 'so']), 'so\n');
  });

  for (const [libc, loader, files] of [
    ['glibc', '/lib64/ld-linux-x86-64.so.2', ['/lib/x86_64-linux-gnu/libc.so.6']],
    ['musl', muslLoader, []],
  ] as const)
    test(name(`a program started by the loader of ${libc} that lies beside it`), async () => {
      for (const each of [loader, ...files]) copyFileSync(each, on(path.basename(each)));
      chmodSync(on(path.basename(loader)), 0o755);
      const compiler = libc === 'musl' ? 'musl-gcc' : 'gcc';
      execFileSync(compiler, ['-x', 'c', '-o', on(`with-${libc}`), '-'], { input: hello });
      const own = path.join(place, path.basename(loader));
      const words = [own, '--library-path', place, path.join(place, `with-${libc}`), 'so'];
      assertSays(await root.start(words), 'so\n');
      assertSays(await root.startHit(words), 'so\n');
      assert.equal(await strategyOf(root, own), 'direct');
    });

  test(name('a program of another machine'), async () => {
    const jq = foreign(rig, 'bookworm', 'jq');
    const bytes = readFileSync(jq.path);
    bytes.writeUInt16LE(183, 18);
    writeFileSync(on('arm'), bytes);
    chmodSync(on('arm'), 0o755);
    const outcome = await root.start([path.join(place, 'arm')]);
    assertRefused(outcome, { status: 126, cause: /built for 64-bit ARM, and this machine is x86-64/ });
    assert.match(outcome.stderr, /qemu/);
  });
}
