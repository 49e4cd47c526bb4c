// Commands that say something and take their time → what is shown, what is kept, what is left out.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { withoutSecrets } from '../../src/host/output.ts';
import { whyNotFetched } from '../../src/store/fetch.ts';
import { runWatched } from '../../src/store/nix.ts';

const scratch = mkdtempSync(path.join(tmpdir(), 'nix-run-foreign-watched-'));
after(() => rmSync(scratch, { recursive: true, force: true }));
const nix = { bin: scratch, env: { PATH: '/usr/bin:/bin' } };

function command(name: string, script: string): string {
  writeFileSync(path.join(scratch, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return name;
}

test('of what ends at once nothing is shown, and everything is kept', async () => {
  const shown: string[] = [];
  const quick = command('quick', 'echo out; echo err >&2; exit 3');
  const ended = await runWatched(nix, quick, [], (text) => shown.push(text));
  assert.deepEqual([ended.status, ended.stdout, ended.stderr], [3, 'out\n', 'err\n']);
  assert.deepEqual(shown, []);
});

test('of what lasts everything is shown as it comes, without passwords, and kept', async () => {
  let shown = '';
  const gate = path.join(scratch, 'gate');
  // It ends when its first words were shown, and not before.
  const slow = command(
    'slow',
    `echo from https://user:word@host/x >&2; until [ -e ${gate} ]; do sleep 0.05; done; echo late >&2`,
  );
  const ended = await runWatched(nix, slow, [], (text) => {
    shown += text;
    writeFileSync(gate, '');
  });
  assert.equal(shown, 'from https://...@host/x\nlate\n');
  assert.equal(ended.stderr, 'from https://user:word@host/x\nlate\n');
});

test('a command that is not there', async () => {
  const ended = await runWatched(nix, 'missing', [], () => {});
  assert.equal(ended.failure, 'ENOENT');
});

test('passwords in addresses are left out', () => {
  assert.equal(withoutSecrets('ssh://a@h https://u:p@h/x?y=@ z@b'), 'ssh://...@h https://...@h/x?... z@b');
});

test('the reason is what says most', () => {
  const conclusion = "error: build of '/nix/store/a' failed";
  const because = (...lines: string[]): string => {
    const stderr = `${lines.join('\n')}\n`;
    return whyNotFetched({ status: 1, stdout: '', stderr, failure: undefined, timedOut: false });
  };
  assert.equal(
    because("don't know how to build these paths:", '  /nix/store/a', conclusion),
    'no substituter has them',
  );
  assert.equal(
    because('warning: it is not signed', "don't know how to build", conclusion),
    'it is not signed',
  );
  const download = "warning: error: unable to download 'http://u:p@h/x': refused; retrying in 309 ms";
  assert.equal(because(download, conclusion), "unable to download 'http://...@h/x': refused");
  assert.equal(
    because('\u001b[31;1merror: \u001b[0mhash mismatch;', '  got: x', conclusion),
    'hash mismatch',
  );
  assert.equal(because(conclusion), "build of '/nix/store/a' failed");
});
