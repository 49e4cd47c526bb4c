// `patch -n` → nothing written but what a plan keeps; `patch -i` in a real terminal → the chosen library, or the file as it was.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { needTool } from '../../launcher/tool-fixture.ts';
import { runCommand } from '../../rig/run-command.ts';
import { terminalsIn } from '../choosing/terminal.ts';
import { foreign } from '../foreign-files.ts';
import { stateOf } from '../saved-state.ts';
import { openVendorRoot } from './vendor-root.ts';

needTool('strace', 'strace');
const vendor = await openVendorRoot('full');
const jq = vendor.put(foreign(vendor.rig, 'bookworm', 'jq').path, 'jq');
const sha = (): string => createHash('sha256').update(readFileSync(jq)).digest('hex');
const first = sha();
const SCRIPT = '/opt/tool/dist/nix-foreign.cjs';
const open = terminalsIn(vendor.root);
const scratch = mkdtempSync(path.join(tmpdir(), 'nix-run-foreign-dry-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

/** Paths that a system call of a traced command changed, but those of the root itself that bubblewrap makes. */
async function changedBy(...words: string[]): Promise<string[]> {
  const log = path.join(scratch, 'strace');
  const argv = [vendor.rig.node, SCRIPT, ...words] as const;
  const { words: line, env } = vendor.root.wordsOf({ argv });
  const calls =
    'trace=open,openat,creat,rename,renameat,renameat2,mkdir,mkdirat,unlink,unlinkat,link,linkat,symlink,symlinkat,chmod,fchmodat,truncate,execve';
  const under = ['env', 'PATH=/usr/bin:/bin', 'strace', '-f', '-y', '-o', log, '-e', calls];
  const { status, stderr } = await runCommand(
    { words: [...under, ...line] as never, env },
    { argv },
    'own-status',
  );
  assert.equal(status, 0, stderr);
  const text = readFileSync(log, 'utf8');
  const own = text.slice(text.indexOf(`execve("${vendor.rig.node}"`));
  return own
    .split('\n')
    .filter((each) => !/ = -1 E/.test(each))
    .filter((each) => !/\bopen(at)?\(/.test(each) || /O_WRONLY|O_RDWR|O_CREAT/.test(each))
    .filter((each) => !/execve\(/.test(each))
    .map((each) => (/\bsymlink(at)?\(/.test(each) ? each.replace(/"[^"]*"/, '') : each))
    .flatMap((each) => [...each.matchAll(/"(\/[^"]*)"/g)].map(([, file = '']) => file));
}

test('a dry run writes nothing outside of its cache and the state of plans', async () => {
  const changed = await changedBy('patch', '-n', '/vendor/jq');
  assert.ok(changed.length > 0, 'strace saw nothing at all');
  const allowed =
    /^\/(?:home\/[^/]+\/\.(?:cache|local\/state)\/nix-run-foreign(?:\/|$)|home\/[^/]+\/\.(?:cache|local)|dev\/|proc\/|tmp\/|nix\/var\/nix\/)/;
  assert.deepEqual(
    changed.filter((file) => !allowed.test(file)),
    [],
  );
  assert.deepEqual(
    changed.filter((file) => file.includes('/vendor/') || file.includes('/v1/patched')),
    [],
  );
  assert.equal(sha(), first);
  // The same eyes see the patch itself.
  const written = await changedBy('patch', '-y', '/vendor/jq');
  assert.ok(
    written.some((file) => /^\/vendor\/\.?jq/.test(file)),
    written.join('\n'),
  );
  assert.equal((await vendor.root.manage(['unpatch', '/vendor/jq'])).status, 0);
});

test('Ctrl-C in the dialogue leaves the file as it was', async () => {
  const it = open(vendor.rig.node, SCRIPT, 'patch', '-i', '/vendor/jq');
  await it.until(/libjq\.so\.1, needed by jq/);
  it.press('C-c');
  await it.until(/\[status 130\]/);
  assert.equal(sha(), first);
  assert.ok(!existsSync(path.join(stateOf(vendor.root), 'patched')) || sha() === first);
});

test('the question left with Ctrl-C ends with 130, answered with no with 1, and nothing is written', async () => {
  const [other, third] = ['other', 'third'].map((name) => vendor.put(jq, name));
  for (const [key, status] of [
    ['C-c', 130],
    ['n', 1],
  ] as const) {
    const it = open(vendor.rig.node, SCRIPT, 'patch', '/vendor/other', '/vendor/third');
    await it.until(/Patch \/vendor\/other \(/);
    it.press(...(key === 'n' ? ['n', 'Enter'] : [key]));
    if (key === 'n') {
      await it.until(/Patch \/vendor\/third \(/);
      it.press('n', 'Enter');
    }
    const screen = await it.until(/\[status \d+\]/);
    assert.match(screen, new RegExp(`\\[status ${status}\\]`));
    assert.match(screen, /\/vendor\/other is as it was/);
    // Ctrl-C is said of the whole command.
    assert.equal(/\/vendor\/third/.test(screen), key === 'n');
  }
  for (const file of [other, third]) {
    assert.ok(file !== undefined);
    assert.equal(createHash('sha256').update(readFileSync(file)).digest('hex'), first);
  }
});

test('the question comes with --json too, and a no is in the document', async () => {
  const asked = vendor.put(jq, 'asked');
  const it = open(vendor.rig.node, SCRIPT, 'patch', '--json', '/vendor/asked');
  await it.until(/Patch \/vendor\/asked \(/);
  it.press('n', 'Enter');
  assert.match(await it.until(/\[status 1\]/), /"answer": ?"declined"/);
  assert.equal(createHash('sha256').update(readFileSync(asked)).digest('hex'), first);
});

test('the second library is chosen, agreed to, and the file and its loader say so', async () => {
  const it = open(vendor.rig.node, SCRIPT, 'patch', '-i', '/vendor/jq');
  const screen = await it.until(/libjq\.so\.1, needed by jq[\s\S]*recommended/);
  const wanted = /^ {2}(libjq1-\S+) · (glibc-[\d.]+)/m.exec(screen)?.[1] ?? assert.fail(screen);
  it.type(wanted);
  const pattern = wanted.replaceAll(/[.+]/g, '\\$&');
  await it.until(new RegExp(`^❯ ${pattern}`, 'm'));
  it.press('Enter');
  for (;;) {
    const shown = await it.until(/needed by \S+[\s\S]*❯|\(Y\/n\)|\[Y\/n\]|\[status/);
    if (/\[status/.test(shown)) break;
    it.press('Enter');
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
  assert.match(it.screen(), /\[status 0\]/);
  assert.notEqual(sha(), first);
  const shown = await vendor.root.manage(['patch', '--show', '/vendor/jq']);
  assert.match(shown.stdout, new RegExp(`libjq\\.so\\.1 +/nix/store/\\w+-${pattern}`));
  const listed = await vendor.root.bare('/vendor/jq', [], { env: { LD_TRACE_LOADED_OBJECTS: '1' } });
  assert.match(listed.stdout, /libjq\.so\.1 => /);
  assert.equal((await vendor.root.bare('/vendor/jq', ['--version'])).status, 0);
});
