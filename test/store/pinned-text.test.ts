// A Nix that takes a text for valid whose file a collector took → the text is pinned under another name.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { startRootAdder } from '../../src/store/add-and-pin.ts';
import { scratchDirectory } from './compiled-library.ts';

const scratch = scratchDirectory();
const at = (...names: string[]): string => path.join(scratch, ...names);
const text = { name: 'document.json', content: 'text', references: [] };
const link = at('roots/link');
mkdirSync(at('roots'));

/** An nix-instantiate that counts its calls and does as `script` says, which knows the NAME that is asked for. */
function putNix(script: string) {
  writeFileSync(at('calls'), '');
  const whole = `#!/bin/sh
name=$(sed -n 's/.*toFile "\\([^"]*\\)".*/\\1/p')
echo "$name" >> ${at('calls')}
hold() { echo "Derive([],[],[\\"$1\\"]" > ${at('held.drv')}; ln -sfn ${at('held.drv')} ${link}; }
${script}
`;
  writeFileSync(at('nix-instantiate'), whole, { mode: 0o755 });
  return { bin: scratch, env: { PATH: '/usr/bin:/bin' } };
}

const calls = (): string[] => readFileSync(at('calls'), 'utf8').trim().split('\n');

test('a text that is there keeps its name', async () => {
  const pinned = await startRootAdder(putNix(`: > ${scratch}/$name; hold ${scratch}/$name`), link).pin(text);
  assert.deepEqual(pinned, { kind: 'pinned', storePath: at('document.json') });
  assert.deepEqual(calls(), ['document.json']);
  assert.equal(readlinkSync(link), at('document.json'));
});

test('one whose file is gone gets another', async () => {
  const nix = putNix(`case $name in gone.json) ;; *) : > ${scratch}/$name ;; esac; hold ${scratch}/$name`);
  const pinned = await startRootAdder(nix, link).pin({ ...text, name: 'gone.json' });
  assert.deepEqual(pinned, { kind: 'pinned', storePath: at('gone-2.json') });
  assert.equal(readlinkSync(link), at('gone-2.json'));
});

test('so does one whose derivation is gone', async () => {
  const complaint = "error: opening file '/nix/store/x-pins-a-text.drv': No such file or directory";
  const nix = putNix(
    `case $name in lost.json) echo "${complaint}" >&2; exit 1 ;; esac; : > ${scratch}/$name; hold ${scratch}/$name`,
  );
  const pinned = await startRootAdder(nix, link).pin({ ...text, name: 'lost.json' });
  assert.deepEqual(pinned, { kind: 'pinned', storePath: at('lost-2.json') });
});

test('it ends, and what refuses otherwise is asked once', async () => {
  const never = await startRootAdder(putNix(`hold ${scratch}/nowhere`), link).pin({
    ...text,
    name: 'no.json',
  });
  const why = `${at('nowhere')} is valid for Nix, and there is no such file`;
  assert.deepEqual(never, { kind: 'damaged', why });
  assert.deepEqual(calls(), ['no.json', 'no-2.json', 'no-3.json']);
  const refused = await startRootAdder(putNix('echo "error: no" >&2; exit 1'), link).pin(text);
  assert.deepEqual(refused, { kind: 'refused', why: 'no' });
  assert.deepEqual(calls(), ['document.json']);
});

test('another process has pinned the same text by the same link meanwhile: it is pinned', async () => {
  const nix = putNix(`printf text > ${scratch}/$name; ln -sfn ${scratch}/$name ${link}`);
  const pinned = await startRootAdder(nix, link).pin(text);
  assert.deepEqual(pinned, { kind: 'pinned', storePath: at('document.json') });
  assert.deepEqual(calls(), ['document.json']);
});

test('another process has pinned another text by it meanwhile: ours is pinned at the next try', async () => {
  const other = `printf other > ${at('other.json')}; ln -sfn ${at('other.json')} ${link}`;
  const own = `: > ${scratch}/$name; hold ${scratch}/$name`;
  const nix = putNix(`case $name in document.json) ${other} ;; *) ${own} ;; esac`);
  const pinned = await startRootAdder(nix, link).pin(text);
  assert.deepEqual(pinned, { kind: 'pinned', storePath: at('document-2.json') });
  assert.equal(readlinkSync(link), at('document-2.json'));
});
