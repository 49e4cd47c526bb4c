// Programs in real directories → the places that are looked at, in order.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import {
  type DirectoryFacts,
  fileSystem,
  sidecarLocations,
  TREE_NAME,
} from '../../src/fingerprint/sidecar.ts';
import { NOBODY } from '../../src/host/user-namespace.ts';
import { put } from './documents.ts';

/** Everything belongs to uid 1 but what is listed; no directory is a symbolic link but what is listed. */
function facts(owners: Record<string, number>, links: Record<string, string> = {}): DirectoryFacts {
  return {
    ownerOf: (file) => owners[file] ?? 1,
    realDirectory: (directory) => links[directory] ?? directory,
  };
}

function names(places: ReturnType<typeof sidecarLocations>): string[] {
  return places.map(({ kind, file }) => `${kind} ${file}`);
}

test('beside the real file, beside the link as given, then upwards as far as one owner goes', () => {
  const places = sidecarLocations('/bin/tool', '/home/me/v/bin/tool', facts({ '/home': 0, '/': 0 }));
  assert.deepEqual(names(places), [
    'sidecar /home/me/v/bin/tool.nix-fingerprint.json',
    'sidecar /bin/tool.nix-fingerprint.json',
    `tree /home/me/v/bin/${TREE_NAME}`,
    `tree /home/me/v/${TREE_NAME}`,
    `tree /home/me/${TREE_NAME}`,
  ]);
});

test('the first directory of somebody else ends it, though one above is the same owner’s again', () => {
  const places = sidecarLocations('/a/b/c/p', '/a/b/c/p', facts({ '/a/b': 2 }));
  assert.deepEqual(names(places), ['sidecar /a/b/c/p.nix-fingerprint.json', `tree /a/b/c/${TREE_NAME}`]);
});

test('a program in somebody else’s directory has no tree file', () => {
  assert.deepEqual(names(sidecarLocations('/a/p', '/a/p', facts({ '/a': 2 }))), [
    'sidecar /a/p.nix-fingerprint.json',
  ]);
});

test('root’s program is looked for up to the top, once', () => {
  assert.deepEqual(names(sidecarLocations('/p', '/p', facts({}))), [
    'sidecar /p.nix-fingerprint.json',
    `tree /${TREE_NAME}`,
  ]);
});

test('where all owners look alike there is no tree', () => {
  const everything = { ownerOf: () => NOBODY, realDirectory: (directory: string) => directory };
  assert.deepEqual(names(sidecarLocations('/a/p', '/a/p', everything)), [
    'sidecar /a/p.nix-fingerprint.json',
  ]);
});

test('a given path through a linked directory is the same place, not a second one', () => {
  const places = sidecarLocations('/link/p', '/real/p', facts({ '/real': 2 }, { '/link': '/real' }));
  assert.deepEqual(names(places), ['sidecar /real/p.nix-fingerprint.json']);
});

test('in the file system', () => {
  const scratch = realpathSync(mkdtempSync(path.join(tmpdir(), 'sidecar-')));
  after(() => rmSync(scratch, { recursive: true, force: true }));
  const program = put(path.join(scratch, 'v/bin/tool'), '');
  mkdirSync(path.join(scratch, 'links'));
  symlinkSync(program, path.join(scratch, 'links/t'));
  symlinkSync(path.join(scratch, 'links'), path.join(scratch, 'linked'));
  const places = names(sidecarLocations(path.join(scratch, 'linked/t'), program, fileSystem));
  assert.deepEqual(places.slice(0, 5), [
    `sidecar ${program}.nix-fingerprint.json`,
    `sidecar ${scratch}/links/t.nix-fingerprint.json`,
    `tree ${scratch}/v/bin/${TREE_NAME}`,
    `tree ${scratch}/v/${TREE_NAME}`,
    `tree ${scratch}/${TREE_NAME}`,
  ]);
  assert.deepEqual(names(sidecarLocations('/nowhere/p', '/nowhere/p', fileSystem)), [
    'sidecar /nowhere/p.nix-fingerprint.json',
  ]);
});
