// readScriptLine against the kernel: what it starts, with which argument, and what it refuses.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { readScriptLine } from '../../src/elf/script-line.ts';
import { compileC, scratchPath } from './compile-c.ts';
import { seededRandom } from './seeded-random.ts';

const show = compileC(
  'show',
  '#include <stdio.h>\nint main(int c, char **v){for(int i=0;i<c;i++)fwrite(v[i],1,__builtin_strlen(v[i])+1,stdout);}',
  [],
);
// Not through execvp, which runs a file without a valid #! line by sh.
const start = compileC(
  'start',
  '#include <stdio.h>\n#include <errno.h>\n#include <unistd.h>\nint main(int c, char **v){execv(v[1], v + 1); printf("errno %d", errno);}',
  [],
);
const script = scratchPath('script');
const noSuchFile = 2;
const noExec = 8;

function byKernel(content: string): string[] | { errno: number } {
  writeFileSync(script, Buffer.from(content, 'latin1'));
  chmodSync(script, 0o755);
  const output = execFileSync(start, [script], { encoding: 'latin1' });
  if (output.startsWith('errno')) return { errno: Number(output.slice(6)) };
  return output.split('\0').slice(0, -1);
}

function byUs(content: string): string[] | { errno: number } {
  writeFileSync(script, Buffer.from(content, 'latin1'));
  const line = readScriptLine(readFileSync(script));
  if (line.kind !== 'script') return { errno: noExec };
  if (line.interpreter !== show) return { errno: noSuchFile };
  return [show, ...(line.argument === undefined ? [] : [line.argument]), script];
}

/** Where the kernel finds no interpreter its errno also depends on what lies in the working directory. */
function assertAgree(content: string, kernels: ReturnType<typeof byKernel>): void {
  const ours = byUs(content);
  if ('errno' in kernels && kernels.errno !== noExec) assert.ok('errno' in ours, JSON.stringify(content));
  else assert.deepEqual(ours, kernels, JSON.stringify(content));
}

const padded = (length: number, rest = '') => `#!${show} ${'x'.repeat(length - show.length - 3)}${rest}`;
const longName = (length: number, rest: string) => `#!${'/'.repeat(length - show.length - 2)}${show}${rest}`;

test('reads #! lines as the kernel does', () => {
  const cases = [
    `#!${show}`,
    `#!${show}\n`,
    `#!${show} one two  three \t \nrest`,
    `#! \t ${show}\t-x\n`,
    `#!${show}\r\n`,
    `#!${show} arg\r\n`,
    `#!${show} one\0two\n`,
    `#!${show}\0one two\n`,
    '#!',
    '#!\n',
    '#! \t \n',
    '#! \0x\n',
    '# !x\n',
    `#!${show} \n`,
    `${show}\n`,
    padded(254, '\n'),
    padded(255, '\n'),
    padded(256, '\n'),
    padded(300, '\n'),
    padded(254),
    padded(255),
    padded(256),
    `#!${' '.repeat(400)}`,
    `#!${show}${' '.repeat(253 - show.length)}x`,
    `#!${show}${' '.repeat(252 - show.length)}x`,
    `#!${show}${' '.repeat(252 - show.length)}xy`,
    `#!${' '.repeat(254 - show.length)}${show} x\n`,
    `#!${' '.repeat(253 - show.length)}${show} x\n`,
    `#!${' '.repeat(252 - show.length)}${show} x\n`,
    `#!${' '.repeat(251 - show.length)}${show} x\n`,
  ];
  for (const content of cases) assertAgree(content, byKernel(content));
});

test('an interpreter that may be cut at 256 bytes is refused', () => {
  for (const length of [253, 254, 255, 256]) {
    for (const rest of ['', '\n', ' a\n', ' ']) {
      const content = longName(length, rest);
      const ours = byUs(content);
      const kernels = byKernel(content);
      // The name has slashes in front, so it is never equal to `show`: the kernel finds the file all the same.
      const refused = 'errno' in kernels && kernels.errno === noExec;
      assert.equal('errno' in ours && ours.errno === noExec, refused, JSON.stringify(content));
    }
  }
});

test('random lines agree', () => {
  const random = seededRandom(7);
  const pieces = [' ', '\t', '\n', '\r', '\0', show, 'x', '-y', '#!', '/', ' '.repeat(90), 'z'.repeat(60)];
  let started = 0;
  for (let round = 0; round < 300; round += 1) {
    const length = random(6);
    const tail = Array.from({ length }, () => pieces[random(pieces.length)]).join('');
    const content = random(2) === 0 ? `#!${tail}` : `#! ${show}${tail}`;
    const kernels = byKernel(content);
    if (!('errno' in kernels)) started += 1;
    assertAgree(content, kernels);
  }
  assert.ok(started > 50, 'enough of them start');
});

test('looks at 256 bytes at most, and at fewer where there are fewer', () => {
  assert.deepEqual(readScriptLine(new Uint8Array()), { kind: 'no-script' });
  assert.deepEqual(readScriptLine(Buffer.from('#!/bin/sh')), {
    kind: 'script',
    interpreter: '/bin/sh',
    argument: undefined,
  });
  const line = readScriptLine(Buffer.from(`#!/bin/sh ${'a'.repeat(5_000)}`));
  assert.equal(line.kind === 'script' && line.argument?.length, 255 - '#!/bin/sh '.length);
});
