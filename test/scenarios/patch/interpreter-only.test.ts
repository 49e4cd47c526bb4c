// A program to which unknown bytes are appended → by method `interpreter` it names the launcher alone, starts, and goes back.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { appendFileSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { foreignNamed, openVendorRoot } from './vendor-root.ts';

const shaOf = (file: string): string => createHash('sha256').update(readFileSync(file)).digest('hex');

const vendor = await openVendorRoot('small');
const curl = vendor.put(foreignNamed(vendor.rig, 'curl'), 'curl');
appendFileSync(curl, 'what only the program understands');
const first = shaOf(curl);

async function manage(...words: string[]): Promise<string> {
  const outcome = await vendor.root.manage(words);
  assert.equal(outcome.status, 0, `${words.join(' ')}: ${outcome.stderr}`);
  return outcome.stdout;
}

test('no byte moves, the appended ones are the last, and it starts by itself', async () => {
  const { size } = statSync(curl);
  assert.equal((await vendor.root.bare('/vendor/curl', ['--version'])).status, 127);
  const plan = JSON.parse(await manage('patch', '-y', '--json', '--method', 'interpreter', '/vendor/curl'));
  assert.equal(plan.method, 'interpreter');
  assert.equal(path.basename(plan.interpreter.to), 'nix-run-foreign');
  assert.equal(statSync(curl).size, size);
  assert.match(readFileSync(curl, 'latin1'), /what only the program understands$/);
  const { status, stdout, stderr } = await vendor.root.bare('/vendor/curl', ['--version']);
  assert.equal(status, 0, stderr);
  assert.match(stdout, /^curl 7\.88\.1/);
});

test('it is known as patched, and said again nothing is done', async () => {
  assert.match(await manage('patch', '--method', 'interpreter', '/vendor/curl'), /nothing is to be done/);
  assert.match(
    await manage('patch', '--show', '/vendor/curl'),
    /interpreter +\/lib64\/ld-linux-x86-64\.so\.2 {2}→ {2}\S+nix-run-foreign$/m,
  );
  assert.match(await manage('list'), /^patched file {2}\/vendor\/curl$/m);
  assert.match(await manage('patch', '--check', '/vendor/curl'), /can be undone/);
});

test('it can be patched in full and back', async () => {
  await manage('patch', '-y', '--method', 'in-place', '--no-lift', '/vendor/curl');
  assert.match(await manage('patch', '--show', '/vendor/curl'), /^ {2}farm +\/nix\/store\/[0-9a-z]{32}-f$/m);
  await manage('patch', '-y', '--method', 'interpreter', '/vendor/curl');
  await manage('unpatch', '/vendor/curl');
  assert.equal(shaOf(curl), first);
  assert.doesNotMatch(await manage('list'), /patched file/);
});
