// What a publish left, whole and not → whether it counts as done.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { base32 } from '../../src/store/fixed-path.ts';
import { whyUndone } from './work-effects.ts';

const home = mkdtempSync(path.join(tmpdir(), 'torture-effects-'));
after(() => rmSync(home, { recursive: true }));

const left = {
  home,
  place: path.join(home, 'nowhere'),
  program: '/home/tester/jq',
  original: '',
  document: '',
  storeDir: '/nix/store',
};
const OBJECT = `${'0'.repeat(32)}-document`;
const NAR = path.join(home, 'cache/nar/whole.nar');

function publish(content: string): void {
  const hash = base32(createHash('sha256').update(content).digest());
  const narinfo = `StorePath: /nix/store/${OBJECT}\nURL: nar/whole.nar\nFileHash: sha256:${hash}\nReferences: \n`;
  writeFileSync(path.join(home, 'cache', `${OBJECT.slice(0, 32)}.narinfo`), narinfo);
  writeFileSync(NAR, content);
}

test('a publish is done when each object is in the cache with the bytes that it has a hash of', () => {
  const roots = path.join(home, '.local/state/nix-run-foreign/v1/roots/abc');
  for (const directory of [roots, path.dirname(NAR)]) mkdirSync(directory, { recursive: true });
  publish('content');
  assert.match(String(whyUndone('publish', left)), /no document/);
  symlinkSync(`/nix/store/${OBJECT}`, path.join(roots, '0123456789abcdef'));
  assert.equal(whyUndone('publish', left), undefined);
  writeFileSync(NAR, 'CONTENT');
  assert.match(String(whyUndone('publish', left)), /not whole/);
  rmSync(NAR);
  assert.match(String(whyUndone('publish', left)), /not whole/);
});
