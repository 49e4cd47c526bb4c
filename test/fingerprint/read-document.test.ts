// Files of every kind under the name of a document → its text, or why there is none.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, truncateSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { readDocument } from '../../src/fingerprint/sidecar.ts';
import type { Owners } from '../../src/fingerprint/trust.ts';
import { put } from './documents.ts';

const scratch = realpathSync(mkdtempSync(path.join(tmpdir(), 'document-')));
after(() => rmSync(scratch, { recursive: true, force: true }));
chmodSync(scratch, 0o755);
const at = (name: string): string => path.join(scratch, name);

const me = process.geteuid?.() ?? 0;
const owners: Owners = { user: me, program: me };

function causeOf(file: string, limit = 1 << 20): string {
  const document = readDocument(file, limit, owners);
  return document.kind === 'refused' ? document.cause : document.kind;
}

test('a file is read, with who could have written it', () => {
  assert.deepEqual(readDocument(put(at('a'), 'é\n'), 3, owners), {
    kind: 'read',
    text: 'é\n',
    writers: { kind: 'trusted' },
  });
  chmodSync(put(at('b'), 'x'), 0o666);
  const open = readDocument(at('b'), 9, owners);
  assert.ok(open.kind === 'read' && open.writers.kind === 'others' && open.writers.cause === 'file-writable');
});

test('the directory counts that the file is in, through whatever link it was reached', () => {
  put(at('open/a'), 'x');
  chmodSync(at('open'), 0o1777);
  symlinkSync(at('open'), at('link'));
  const document = readDocument(at('link/a'), 9, owners);
  assert.ok(document.kind === 'read' && document.writers.kind === 'others');
  assert.equal(document.writers.cause, 'directory-open');
});

test('nothing there', () => {
  assert.equal(causeOf(at('nothing')), 'absent');
  assert.equal(causeOf(at('no/directory')), 'absent');
  assert.equal(causeOf(path.join(put(at('file'), ''), 'below')), 'absent');
  assert.equal(causeOf(at('x'.repeat(300))), 'absent');
});

test('a symbolic link is not followed, whole or broken', () => {
  symlinkSync(put(at('target'), 'x'), at('sym'));
  symlinkSync('/nowhere', at('broken'));
  symlinkSync('loop', at('loop'));
  for (const name of ['sym', 'broken', 'loop']) assert.equal(causeOf(at(name)), 'symlink', name);
});

test('what is no regular file is refused, and nobody waits for it', async () => {
  mkdirSync(at('dir'));
  execFileSync('mkfifo', [at('fifo')]);
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(at('socket'), resolve));
  try {
    for (const file of [at('dir'), at('fifo'), at('socket'), '/dev/zero']) {
      assert.equal(causeOf(file), 'no-file', file);
    }
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
});

test('no byte more than the limit', () => {
  put(at('exact'), 'x'.repeat(100));
  assert.equal(causeOf(at('exact'), 100), 'read');
  assert.equal(causeOf(at('exact'), 99), 'size');
  truncateSync(put(at('huge'), ''), 2 ** 40);
  assert.equal(causeOf(at('huge')), 'size');
  const document = readDocument(at('huge'), 1 << 20, owners);
  assert.ok(document.kind === 'refused' && document.why === 'it is larger than 1 MiB');
});

test('a file that has more to read than it says is refused: the kernel’s own files say 0', () => {
  assert.equal(causeOf('/proc/self/status'), 'size');
});

test('bytes that are no UTF-8 are refused, and a byte order mark stays', () => {
  assert.equal(causeOf(put(at('latin'), Buffer.from([0x22, 0xe9, 0x22]))), 'encoding');
  assert.equal(causeOf(put(at('surrogate'), Buffer.from([0xed, 0xa0, 0x80]))), 'encoding');
  const document = readDocument(put(at('bom'), '\ufeff{}'), 9, owners);
  assert.ok(document.kind === 'read' && document.text === '\ufeff{}');
});
