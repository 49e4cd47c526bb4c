// Paths that Node would take for others are refused before it is started; what is UTF-8 is not.
import assert from 'node:assert/strict';
import { copyFileSync, linkSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { type Outcome, openWorkshop, putScript, runCommand } from './launcher-fixture.ts';

const workshop = await openWorkshop();
const resolver = putScript(workshop.directory, 'resolver', 'echo "resolved $1" >&2; exit 125');
const env = { ...workshop.environment, NIX_RUN_FOREIGN_RESOLVER: resolver };

function bytesAt(bytes: readonly number[]): Buffer {
  return Buffer.concat([Buffer.from(`${workshop.directory}/bad`), Buffer.from(bytes)]);
}

/** Starts the program whose name is `bad` and these bytes; the shell makes them, since spawn takes only text. */
function start(bytes: readonly number[], option = ''): Promise<Outcome> {
  const name = bytes.map((byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('');
  const command = `exec '${workshop.launcher}' ${option} "./bad$(printf '${name}')"`;
  return runCommand(workshop, ['sh', '-c', command], { cwd: workshop.directory, env });
}

const good: Record<string, readonly number[]> = {
  ASCII: [0x7f],
  'two bytes': [0xc2, 0x80, 0xdf, 0xbf],
  'three bytes': [0xe0, 0xa0, 0x80, 0xed, 0x9f, 0xbf, 0xee, 0x80, 0x80, 0xef, 0xbf, 0xbf],
  'four bytes': [0xf0, 0x90, 0x80, 0x80, 0xf4, 0x8f, 0xbf, 0xbf],
};
const bad: Record<string, readonly number[]> = {
  'a byte of no UTF-8': [0xff],
  'Latin-1': [0xe9, 0x74, 0xe9],
  'a later byte first': [0x80],
  'a character cut short': [0xe2, 0x82],
  'a character cut short, and text': [0xe2, 0x82, 0x61],
  'an overlong slash': [0xc0, 0xaf],
  'an overlong form of three bytes': [0xe0, 0x9f, 0xbf],
  'an overlong form of four bytes': [0xf0, 0x8f, 0xbf, 0xbf],
  'a surrogate': [0xed, 0xa0, 0x80],
  'beyond the last character': [0xf4, 0x90, 0x80, 0x80],
  'beyond the last first byte': [0xf5, 0x80, 0x80, 0x80],
};

for (const [name, bytes] of Object.entries(good))
  test(`UTF-8: ${name}`, async () => {
    copyFileSync('/bin/true', bytesAt(bytes));
    assert.equal((await start(bytes)).stderr, 'resolved resolve\n');
  });

for (const [name, bytes] of Object.entries(bad))
  test(`not UTF-8: ${name}`, async () => {
    copyFileSync('/bin/true', bytesAt(bytes));
    for (const option of ['', '--refresh', '--explain', '--choose']) {
      const { code, stdout, stderr } = await start(bytes, option);
      assert.deepEqual([code, stdout], [125, '']);
      const said =
        /^nix-run-foreign: .+: its path is not UTF-8\n {2}rename it, or make a hard link with an ASCII name\n$/;
      assert.match(stderr, said);
    }
  });

test('the remedy: a hard link, and not a symbolic one', async () => {
  const directory = bytesAt([0xfe]);
  mkdirSync(directory);
  const original = Buffer.concat([directory, Buffer.from('/program')]);
  copyFileSync('/bin/true', original);
  const link = path.join(workshop.directory, 'link');
  symlinkSync(original, link);
  const command = [workshop.launcher, link] as const;
  assert.match((await runCommand(workshop, command, { env })).stderr, /its path is not UTF-8/);
  rmSync(link);
  linkSync(original, link);
  assert.equal((await runCommand(workshop, command, { env })).stderr, 'resolved resolve\n');
});
