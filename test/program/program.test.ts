// Every program that cannot be started is refused with one cause, one remedy and the status env(1) would use.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { machinesRunBy } from '../../src/elf/machine.ts';
import { ForeignError } from '../../src/host/errors.ts';
import { identityOf } from '../../src/host/file-identity.ts';
import { runs32BitPrograms } from '../../src/host/processor.ts';
import { inspectProgram } from '../../src/program/inspect-program.ts';
import { buildElf } from '../elf/build-elf.ts';
import { asRoot } from '../launcher/tool-fixture.ts';
import { compileLibrary, compileProgram, scratchDirectory } from '../store/compiled-library.ts';

const scratch = scratchDirectory();
const at = (...names: string[]): string => path.join(scratch, ...names);
const here = {
  storeDir: '/nix/store',
  hostMachines: machinesRunBy(process.arch),
  uid: process.geteuid?.() ?? 0,
  gid: process.getegid?.() ?? 0,
};
const program = compileProgram(at('program'));

function variant(name: string, change: (bytes: Buffer) => Buffer = (bytes) => bytes): string {
  writeFileSync(at(name), change(readFileSync(program)), { mode: 0o755 });
  return at(name);
}

function text(name: string, content: string, mode = 0o755): string {
  writeFileSync(at(name), content, { mode });
  return at(name);
}

/** A program of this machine that names its interpreter and libraries so. */
function withNames(name: string, interpreter: string, needed: readonly string[]): string {
  const { machine } = machinesRunBy(process.arch)[0] ?? { machine: 62 };
  const image = buildElf({
    ...{ class: 64, byteOrder: 'little', machine, type: 3, entry: 0x40_1000 },
    ...{ interpreter, dynamic: { needed } },
  });
  writeFileSync(at(name), image, { mode: 0o755 });
  return at(name);
}

interface Refusal {
  readonly make: () => string;
  readonly exitCode: 126 | 127;
  readonly code: string;
  readonly says: RegExp;
  readonly hint?: string;
}

function made(name: string, how: (file: string) => void): string {
  how(at(name));
  return at(name);
}

const refusals: Record<string, Refusal> = {
  missing: { make: () => at('nothing'), exitCode: 127, code: 'not-found', says: /no such file/ },
  'below a file': {
    make: () => `${program}/x`,
    exitCode: 126,
    code: 'unreachable',
    says: /not a directory/,
    hint: 'check the spelling of the path',
  },
  'an empty name': { make: () => '', exitCode: 127, code: 'not-found', says: /no such file/ },
  'a broken link': {
    make: () => made('broken', (file) => symlinkSync('/nowhere', file)),
    exitCode: 127,
    code: 'not-found',
    says: /no such file/,
  },
  'a loop of links': {
    make: () => made('loop', (file) => symlinkSync(file, file)),
    exitCode: 126,
    code: 'unreachable',
    says: /symbolic links/,
    hint: 'correct the symbolic links on its path, which lead to one another',
  },
  'a directory': {
    make: () => made('directory', (file) => mkdirSync(file)),
    exitCode: 126,
    code: 'directory',
    says: /directory/,
  },
  'a FIFO': {
    make: () => made('fifo', (file) => execFileSync('mkfifo', ['-m', '755', file])),
    exitCode: 126,
    code: 'not-a-file',
    says: /not a regular file/,
  },
  'a device': { make: () => '/dev/null', exitCode: 126, code: 'not-a-file', says: /not a regular file/ },
  'not executable': {
    make: () =>
      made('plain', (file) => {
        copyFileSync(program, file);
        chmodSync(file, 0o644);
      }),
    exitCode: 126,
    code: 'not-executable',
    says: /not executable/,
  },
  'a name that is too long': {
    make: () => at('x'.repeat(300)),
    exitCode: 126,
    code: 'unreachable',
    says: /too long/,
    hint: 'name it by a shorter path',
  },
  'an empty file': {
    make: () => text('empty', ''),
    exitCode: 126,
    code: 'not-a-program',
    says: /empty|not a program/,
  },
  'a text file': {
    make: () => text('text', 'echo hello\n'),
    exitCode: 126,
    code: 'not-a-program',
    says: /not a program/,
  },
  'a script with CRLF': {
    make: () => text('crlf', '#!/bin/sh\r\necho\r\n'),
    exitCode: 126,
    code: 'not-a-program',
    says: /carriage return/,
    hint: 'give the file Unix line ends',
  },
  'an ELF file cut in its header': {
    make: () => variant('cut', (bytes) => bytes.subarray(0, 40)),
    exitCode: 126,
    code: 'bad-elf',
    says: /damaged/,
  },
  'an ELF file cut in its segments': {
    make: () => variant('cut-more', (bytes) => bytes.subarray(0, 300)),
    exitCode: 126,
    code: 'bad-elf',
    says: /damaged/,
  },
  'a library': {
    make: () => compileLibrary(at('lib.so'), { soname: 'lib.so.1' }),
    exitCode: 126,
    code: 'library',
    says: /shared library/,
  },
  'an object file': {
    make: () =>
      made('object.o', (file) => {
        execFileSync('gcc', ['-c', '-xc', '/dev/null', '-o', file]);
        chmodSync(file, 0o755);
      }),
    exitCode: 126,
    code: 'not-a-program',
    says: /not linked/,
  },
  'for another machine': {
    make: () =>
      variant('aarch64', (bytes) => {
        bytes.writeUInt16LE(183, 18);
        return bytes;
      }),
    exitCode: 126,
    code: 'other-machine',
    says: /64-bit ARM.*x86-64/,
  },
  'an interpreter with a line feed in its name': {
    make: () => withNames('line-feed', '/lib64/ld\n-linux.so.2', ['libc.so.6']),
    ...{
      exitCode: 126,
      code: 'odd-name',
      says: /its interpreter "\/lib64\/ld\\n-linux\.so\.2" holds control/,
    },
  },
  'a relative interpreter': {
    make: () => withNames('relative', 'lib64/ld-linux-x86-64.so.2', ['libc.so.6']),
    ...{ exitCode: 126, code: 'odd-name', says: /"lib64\/ld-linux-x86-64\.so\.2" is a relative path/ },
  },
  'a needed name with a control character': {
    make: () => withNames('needed', '/lib64/ld-linux-x86-64.so.2', ['libc.so.6', 'liba\n\tlibb.so => /x']),
    ...{
      exitCode: 126,
      code: 'odd-name',
      says: /needs "liba\?\?libb\.so => \/x", which is not of printable ASCII/,
    },
  },
};

for (const [what, { make, exitCode, code, says, hint }] of Object.entries(refusals)) {
  test(`refused: ${what}`, () => {
    const file = make();
    assert.throws(
      () => inspectProgram(file, here),
      (error) => {
        assert.ok(error instanceof ForeignError, String(error));
        assert.equal(error.exitCode, exitCode);
        assert.equal(error.code, code);
        assert.match(error.message, says);
        assert.ok(error.message.startsWith(`${file}: `), error.message);
        assert.doesNotMatch(error.message + error.hint, /\n|undefined/);
        assert.ok(error.hint.length > 10);
        if (hint !== undefined) assert.equal(error.hint, hint);
        return true;
      },
    );
  });
}

test('refused: setuid and setgid for somebody else', asRoot, () => {
  const file = variant('setuid');
  const cases: [number, number, number][] = [
    [65534, 0, 0o4755],
    [65534, 0, 0o4655],
    [0, 65534, 0o2755],
  ];
  for (const [uid, gid, mode] of cases) {
    chownSync(file, uid, gid);
    chmodSync(file, mode);
    assert.throws(() => inspectProgram(file, here), { code: 'secure-mode', exitCode: 126 });
  }
  // Nothing changes hands: one's own, or the group's bit without its right to execute, which means locking.
  chownSync(file, 0, 0);
  chmodSync(file, 0o6755);
  assert.equal(inspectProgram(file, here).kind.kind, 'dynamic');
  chownSync(file, 0, 65534);
  chmodSync(file, 0o2745);
  assert.equal(inspectProgram(file, here).kind.kind, 'dynamic');
});

test('refused: file capabilities, but for root, who has them all', () => {
  const file = variant('capable');
  const capable = { ...here, capabilities: 'some' } as const;
  assert.throws(() => inspectProgram(file, { ...capable, uid: 65534 }), {
    code: 'secure-mode',
    exitCode: 126,
  });
  assert.equal(inspectProgram(file, { ...capable, uid: 0 }).kind.kind, 'dynamic');
});

function refusedAsNobody(file: string): { code: string; exitCode: number; message: string } {
  const source = JSON.stringify(path.resolve(import.meta.dirname, '../../src/program/inspect-program.ts'));
  const script = `import { inspectProgram } from ${source};
    const here = ${JSON.stringify({ ...here, uid: 65534, gid: 65534 })};
    try { inspectProgram(${JSON.stringify(file)}, here); console.log('{}'); }
    catch ({ code, exitCode, message }) { console.log(JSON.stringify({ code, exitCode, message })); }`;
  const words = ['--input-type=module', '-e', script];
  return JSON.parse(execFileSync(process.execPath, words, { uid: 65534, gid: 65534, encoding: 'utf8' }));
}

test('refused for an ordinary user: executable, but not by them', asRoot, () => {
  chmodSync(scratch, 0o755);
  const file = variant('private');
  chmodSync(file, 0o744);
  const { code, exitCode, message } = refusedAsNobody(file);
  assert.deepEqual([code, exitCode, message], ['not-executable', 126, `${file}: you may not execute it`]);
});

test('refused for an ordinary user: unreadable, behind a closed directory', asRoot, () => {
  chmodSync(scratch, 0o755);
  const unreadable = variant('unreadable');
  chmodSync(unreadable, 0o711);
  const first = refusedAsNobody(unreadable);
  assert.deepEqual([first.code, first.exitCode], ['unreadable', 126]);
  mkdirSync(at('closed'));
  copyFileSync(program, at('closed/program'));
  chmodSync(at('closed'), 0o700);
  const second = refusedAsNobody(at('closed/program'));
  assert.deepEqual([second.code, second.exitCode], ['unreachable', 126]);
  assert.match(second.message, /permission denied/);
});

test('a dynamic program: real path, identity, size, facts', () => {
  symlinkSync('program', at('link'));
  const found = inspectProgram(at('link'), here);
  assert.equal(found.typedName, at('link'));
  assert.equal(found.path, program);
  assert.equal(found.identity, identityOf(program));
  assert.equal(found.size, readFileSync(program).length);
  assert.equal(found.kind.kind, 'dynamic');
  assert.ok(found.elf?.needed.includes('libc.so.6'));
});

test('the library path is read as the loader of the program reads it', () => {
  const host = { ...here, libraryPath: '/a;/b:$ORIGIN', workingDirectory: '/here' };
  for (const [interpreter, expected] of [
    ['/lib64/ld-linux-x86-64.so.2', ['/a', '/b', scratch]],
    ['/lib/ld-musl-x86_64.so.1', ['/a;/b', '/here/$ORIGIN']],
  ] as const) {
    const file = withNames(path.basename(interpreter), interpreter, []);
    assert.deepEqual(inspectProgram(file, host).libraryPathDirs, expected);
  }
});

test('what needs nothing of ours is told apart', () => {
  assert.equal(inspectProgram(text('script', '#!/bin/sh\n'), here).kind.kind, 'script');
  const fixed = compileProgram(at('static'), { flags: ['-static'] });
  assert.equal(inspectProgram(fixed, here).kind.kind, 'static');
  const interpreter = '-Wl,--dynamic-linker=/nix/store/0123456789abcdfghijklmnpqrsvwxyz-glibc-2.40/lib/ld.so';
  const nix = compileProgram(at('nix-built'), { flags: [interpreter] });
  assert.equal(inspectProgram(nix, here).kind.kind, 'already-nix');
});

test('a 32-bit program is refused where, and only where, this kernel runs none', (t) => {
  if (process.arch !== 'x64') return t.skip('only x86-64 may run programs of another class');
  const small = compileProgram(at('small'), {
    source: 'void _start(void) { __asm__("mov $1, %eax; mov $0, %ebx; int $0x80"); }',
    flags: ['-m32', '-static', '-nostdlib', '-fno-pic', '-no-pie'],
  });
  const { status, error } = spawnSync('/usr/bin/env', [small]);
  assert.equal(error, undefined);
  assert.equal(runs32BitPrograms(), status === 0);
  const inspect = () => inspectProgram(small, here).kind.kind;
  if (status === 0) assert.equal(inspect(), 'static');
  else
    assert.throws(inspect, { code: 'other-machine', message: /32-bit program, and this kernel runs none/ });
});
