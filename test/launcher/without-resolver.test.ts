// Programs that the resolver has nothing to do for → what the launcher does by itself, with no Node and no plan.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { compile, limited, openWorkshop, run, runCommand } from './launcher-fixture.ts';
import { planText, putDecision, putPlan } from './plan-fixture.ts';
import { needCompilerFor32Bit, needTool, on32Bit } from './tool-fixture.ts';

const workshop = await openWorkshop();
const { directory, launcher } = workshop;
const called = { code: 125, resolver: true };
/** With e_shnum and e_shstrndx behind it (elf(5)). */
const E_SHENTSIZE = 58;
let count = 0;

function build(...flags: readonly string[]): string {
  if (flags.includes('-m32')) needCompilerFor32Bit();
  const file = compile(workshop, 'say-started', flags);
  count += 1;
  const copy = path.join(directory, `program-${count}`);
  writeFileSync(copy, readFileSync(file), { mode: 0o755 });
  return copy;
}

async function outcomeOf(words: readonly string[], env = workshop.environment): Promise<unknown> {
  const { code, stdout, stderr } = await run(workshop, words, { ...limited, env });
  if (stderr.startsWith('resolver called\n')) return { code, resolver: true };
  return { code, stdout, stderr };
}

const started = { code: 0, stdout: 'started\n', stderr: '' };
const kinds: Record<string, readonly string[]> = {
  static: ['-static'],
  'static-pie': ['-static-pie'],
  'static, with a stripped section table': ['-static', '-s'],
};
if (process.arch === 'x64' && on32Bit.skip === undefined) kinds['static, of 32 bits'] = ['-static', '-m32'];

for (const [name, flags] of Object.entries(kinds))
  test(`a program that is ${name} is executed at once, and no plan is made`, async () => {
    assert.deepEqual(await outcomeOf([build(...flags)]), started);
    assert.equal(existsSync(workshop.place), false);
  });

test('a static program without section headers is executed at once, and one that UPX packed is not', async () => {
  const program = build('-static');
  const bytes = readFileSync(program);
  bytes.fill(0, E_SHENTSIZE, E_SHENTSIZE + 6);
  writeFileSync(program, bytes);
  assert.deepEqual(await outcomeOf([program]), started);
  bytes.write('UPX!', 0x200, 'latin1');
  writeFileSync(program, bytes);
  assert.deepEqual(await outcomeOf([program]), called);
});

test('a static program of which the user decided something is left to the resolver where no plan of it holds', async () => {
  const program = build('-static');
  const gone = path.join(directory, 'gone');
  const plan = putPlan(workshop.place, program, planText(program, [`f${gone}`]));
  assert.deepEqual(await outcomeOf([program]), started, 'nothing was decided');
  const state = path.join(directory, 'state');
  const env = { ...workshop.environment, XDG_STATE_HOME: state };
  putDecision(path.join(state, 'nix-run-foreign'), program);
  const decided = async () => await outcomeOf([program], env);
  assert.deepEqual(await decided(), called);
  writeFileSync(gone, '');
  assert.deepEqual(await decided(), started);
  rmSync(plan);
  assert.deepEqual(await decided(), called);
});

test('what is asked for by an option is left to the resolver', async () => {
  const program = build('-static');
  for (const option of ['--rehash', '--refresh', '--strategy=x'])
    assert.deepEqual(await outcomeOf([...option.split('='), program]), called, option);
});

test('what only looks like a static program is left to the resolver', async () => {
  const bytes = readFileSync(build('-static'));
  const change = (name: string, edit: (bytes: Buffer) => unknown): string => {
    const copy = Buffer.from(bytes);
    edit(copy);
    const file = path.join(directory, name);
    writeFileSync(file, copy, { mode: 0o755 });
    return file;
  };
  const left: readonly string[] = [
    build(),
    build('-shared', '-fPIC'),
    change('app-image', (copy) => copy.write('AI\x02', 8)),
    change('other-machine', (copy) => copy.writeUInt16LE(243, 18)),
    change('object', (copy) => copy.writeUInt16LE(1, 16)),
    change('big-endian', (copy) => copy.writeUInt8(2, 5)),
    change('headers-far-away', (copy) => copy.writeBigUInt64LE(1n << 40n, 32)),
    change('headers-of-another-size', (copy) => copy.writeUInt16LE(57, 54)),
    change('no-entry', (copy) => copy.writeBigUInt64LE(0n, 24)),
    change('cut', (copy) => copy.fill(0, 40)),
  ];
  for (const file of left) assert.deepEqual(await outcomeOf([file]), called, file);
});

test('any 60 damaged bytes of the headers are survived', async () => {
  const bytes = readFileSync(build('-static-pie'));
  for (let at = 0; at < 600; at += 10) {
    const copy = Buffer.from(bytes);
    copy.writeUInt8((copy[at] ?? 0) ^ 0xff, at);
    const file = path.join(directory, 'damaged');
    writeFileSync(file, copy, { mode: 0o755 });
    const { signal } = await runCommand(workshop, [launcher, '--rehash', file], limited);
    assert.equal(signal, null, `byte ${at}`);
  }
});

test('an interpreter that is relative, or has control characters, is refused in words', async () => {
  for (const name of ['lib64/ld-linux-x86-64.so.2', '/lib64/ld\n-linux.so.2', '/lib64/\u{1b}[2J']) {
    const { code, stderr } = await run(workshop, [build(`-Wl,--dynamic-linker=${name}`)], limited);
    assert.equal(code, 126);
    assert.match(
      stderr,
      /: its program interpreter \(loader\) is not named by an absolute path\n {2}\S.*\n$/,
    );
  }
});

/** `inject` makes the kernel refuse a call, as one without support for 32-bit programs does. */
function onKernelWithout32Bit(calls: string, words: readonly string[]): ReturnType<typeof run> {
  needTool('strace', 'strace');
  const trace = ['strace', '-qq', '-f', '-o', '/dev/null', '-e', `inject=${calls}:error=ENOEXEC`] as const;
  return runCommand(workshop, [...trace, launcher, ...words], limited);
}

const onX86 = process.arch === 'x64' ? {} : { skip: 'cc -m32 is of x86-64' };

const refused =
  /: it is a 32-bit program, and this kernel runs none\n {2}start Linux with ia32_emulation=1, or it with qemu-i386\n$/;

for (const flags of [['-m32'], ['-m32', '-static']])
  test(
    `a 32-bit program (${flags.join(' ')}) is refused at once where the kernel runs none`,
    onX86,
    async () => {
      const program = build(...flags);
      for (const options of [[], ['--refresh']]) {
        const { code, stdout, stderr } = await onKernelWithout32Bit('execveat', [...options, program]);
        assert.deepEqual([code, stdout], [126, '']);
        assert.match(stderr, refused);
      }
      const known = planText(program, flags.includes('-static') ? [] : ['x/lib/ld-linux.so.2', 'P']);
      putPlan(workshop.place, program, known);
      const { code, stderr } = await onKernelWithout32Bit('execve', [program]);
      assert.equal(code, 126);
      assert.match(stderr, refused, 'by its plan');
    },
  );

test('a 32-bit program is left to the resolver where the kernel runs such', on32Bit, async () => {
  assert.deepEqual(await outcomeOf([build('-m32')]), called);
});

test('a static 32-bit program starts under a limit of file sizes', on32Bit, async () => {
  const program = build('-m32', '-static');
  assert.deepEqual(await runCommand(workshop, ['prlimit', '--fsize=0', launcher, program], limited), {
    ...started,
    signal: null,
  });
});

test('a program of 64 bits is never refused as one of 32', async () => {
  const { stderr } = await onKernelWithout32Bit('execveat', [build()]);
  assert.match(stderr, /^resolver called$/m);
});
