// A copy and the names that it shall have → all of them, or each as it was; what it takes over from the file before.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs, {
  chmodSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { copyWithChanges, copyWithUndo } from '../../../src/integrations/patch/copy-with-changes.ts';
import {
  replaceNames,
  setTime,
  takeAttributes,
  takeModes,
} from '../../../src/integrations/patch/replace-file.ts';
import { needTool } from '../../launcher/tool-fixture.ts';

needTool('setfacl', 'acl');
const dir = mkdtempSync(path.join(tmpdir(), 'nix-run-foreign-replace-'));
after(() => rmSync(dir, { recursive: true, force: true }));
const at = (name: string): string => path.join(dir, name);

function put(name: string, content: string): string {
  mkdirSync(path.dirname(at(name)), { recursive: true });
  writeFileSync(at(name), content);
  return at(name);
}

test('a name beside which nothing can be written leaves the first one the old file', () => {
  const first = put('early/first', 'old');
  const made = put('early/made', 'new');
  assert.throws(() => replaceNames(made, [first, at('early/second'), at('nowhere/third')]), /ENOENT/);
  assert.equal(readFileSync(first, 'utf8'), 'old');
  assert.deepEqual(readdirSync(at('early')).sort(), ['first', 'made']);
});

test('a name that cannot be renamed over is told, and the others are the new file', () => {
  const first = put('late/first', 'old');
  const made = put('late/made', 'new');
  mkdirSync(at('late/directory'));
  linkSync(first, at('late/third'));
  const left = replaceNames(made, [first, at('late/directory'), at('late/third')]);
  assert.equal(left?.name, at('late/directory'));
  assert.deepEqual(
    ['first', 'third'].map((name) => readFileSync(at(`late/${name}`), 'utf8')),
    ['new', 'new'],
  );
  assert.deepEqual(readdirSync(at('late')).sort(), ['directory', 'first', 'third']);
});

test('an access control list is taken over, and gives the group no more than before', () => {
  const [from, to] = [put('lists/from', 'old'), put('lists/to', 'new')];
  chmodSync(from, 0o700);
  execFileSync('setfacl', ['-m', 'u:65534:rx', from]);
  const listOf = (file: string) =>
    execFileSync('getfacl', ['-cn', '--absolute-names', file], { encoding: 'utf8' });
  assert.match(listOf(from), /^user:65534:r-x\ngroup::---\nmask::r-x$/m);
  assert.equal(takeAttributes(from, to, process.env['PATH']), undefined);
  assert.equal(listOf(to), listOf(from));
  assert.equal(statSync(to).mode, statSync(from).mode);
});

test("with a cp that is not GNU's the next one on PATH is asked, and without one only what has attributes is refused", () => {
  needTool('setfattr', 'attr');
  const [from, to] = [put('busybox/from', 'old'), put('busybox/to', 'new')];
  put('busybox/bin/cp', `#!/bin/sh\necho "cp: unrecognized option '$1'" >&2\nexit 1\n`);
  chmodSync(at('busybox/bin/cp'), 0o755);
  chmodSync(from, 0o750);
  assert.equal(takeAttributes(from, to, at('busybox/bin')), undefined);
  assert.equal(statSync(to).mode & 0o777, 0o750);
  execFileSync('setfattr', ['-n', 'user.mark', '-v', 'kept', from]);
  assert.deepEqual(takeAttributes(from, to, at('busybox/bin'))?.kind, 'no-cp');
  assert.deepEqual(takeAttributes(from, to, at('nowhere'))?.kind, 'no-cp');
  assert.equal(takeAttributes(from, to, `${at('busybox/bin')}:${process.env['PATH']}`), undefined);
  assert.match(
    execFileSync('getfattr', ['-d', '--absolute-names', to], { encoding: 'utf8' }),
    /user\.mark="kept"/,
  );
  execFileSync('setfattr', ['-x', 'user.mark', from]);
  execFileSync('setfacl', ['-m', 'u:65534:rx', from]);
  assert.deepEqual(takeAttributes(from, to, at('busybox/bin'))?.kind, 'no-cp');
});

test('capabilities stay behind where the copy is to give nobody more rights, whoever makes it and with any cp', () => {
  needTool('setcap', 'libcap2-bin');
  const [from, to] = [put('capable/from', 'old'), put('capable/to', 'new')];
  put('capable/bin/cp', `#!/bin/sh\necho "cp: unrecognized option '$1'" >&2\nexit 1\n`);
  chmodSync(at('capable/bin/cp'), 0o755);
  chmodSync(from, 0o755);
  execFileSync('setcap', ['cap_net_raw+ep', from]);
  const script = `import { takeModes } from ${JSON.stringify(path.resolve('src/integrations/patch/replace-file.ts'))};
    const [from, to, searchPath] = process.argv.slice(1);
    console.log(takeModes(from, to, searchPath, \`\${to}.apart\`));`;
  const node = [process.execPath, '--input-type=module', '-e', script, '--', from, to];
  const run = (words: readonly string[]) => execFileSync('setpriv', words, { encoding: 'utf8' }).trim();
  const system = process.env['PATH'] ?? '';
  // Without CAP_SETFCAP, which only root has.
  assert.equal(run(['--bounding-set', '-setfcap', ...node, system]), 'undefined');
  assert.equal(takeModes(from, to, at('capable/bin'), at('capable/apart')), undefined);
  execFileSync('setfattr', ['-n', 'user.mark', '-v', 'kept', from]);
  assert.equal(takeModes(from, to, at('capable/bin'), at('capable/apart'))?.kind, 'no-cp');
  assert.equal(run(['--bounding-set', '-setfcap', ...node, system]), 'undefined');
  assert.equal(takeModes(from, to, system, at('capable/apart')), undefined);
  assert.equal(statSync(to).mode & 0o7777, 0o755);
  const attributes = execFileSync('getfattr', ['-d', '-m', '-', '--absolute-names', to], {
    encoding: 'utf8',
  });
  assert.match(attributes, /user\.mark="kept"/);
  assert.doesNotMatch(attributes, /security\.capability/);
  assert.equal(takeAttributes(from, to, system), undefined);
  assert.match(execFileSync('getcap', [to], { encoding: 'utf8' }), /cap_net_raw/);
});

test('a copy of a set-id file has those bits at no instant', (t) => {
  const from = put('bits/from', 'old');
  chmodSync(from, 0o6755);
  const seen: number[] = [];
  const chmod = fs.chmodSync;
  t.mock.method(fs, 'chmodSync', (file: string, mode: number) => {
    seen.push(statSync(file).mode & 0o7777);
    chmod(file, mode);
  });
  const undo = { size: 3, ranges: [], added: undefined };
  syncBuiltinESMExports();
  try {
    copyWithChanges(from, at('bits/copy'), { edits: [], added: undefined }, 3);
    copyWithUndo(from, at('bits/undone'), undo);
  } finally {
    t.mock.restoreAll();
    syncBuiltinESMExports();
  }
  assert.deepEqual(seen, [0o600, 0o600]);
  assert.deepEqual(readFileSync(at('bits/copy'), 'utf8'), 'old');
});

test('nor while cp(1) copies its mode, where anybody else could reach it', () => {
  const [from, to] = [put('reach/from', 'old'), put('reach/to', 'new')];
  put(
    'reach/bin/cp',
    `#!/bin/sh\n/bin/cp "$@"\nfor last; do :; done\nstat -c '%a %n' "$last" >>${at('reach/seen')}\n`,
  );
  chmodSync(at('reach/bin/cp'), 0o755);
  chmodSync(from, 0o6755);
  execFileSync('setfacl', ['-m', 'u:65534:rx', from]);
  const places = `${at('reach/bin')}:${process.env['PATH']}`;
  assert.equal(takeModes(from, to, places, at('reach/apart')), undefined);
  const seen = readFileSync(at('reach/seen'), 'utf8').trim().split('\n');
  assert.deepEqual(
    seen.filter((line) => line.endsWith(` ${to}`)).map((line) => line.split(' ')[0]),
    ['600', '755'],
  );
  assert.equal(statSync(to).mode & 0o7777, 0o755);
  assert.match(execFileSync('getfacl', ['-pn', to], { encoding: 'utf8' }), /^user:65534:r-x/m);
  assert.equal(fs.existsSync(at('reach/apart')), false);
});

test('without getfattr too, a file whose group has more than others is refused, since that may be a mask', () => {
  needTool('bwrap', 'bubblewrap');
  const [from, to] = [put('blind/from', 'old'), put('blind/to', 'new')];
  const script = `import { takeAttributes } from ${JSON.stringify(path.resolve('src/integrations/patch/replace-file.ts'))};
    console.log(takeAttributes(${JSON.stringify(from)}, ${JSON.stringify(to)}, '/nowhere')?.kind);`;
  const hidden = ['/usr/bin/getfattr', '/usr/bin/cp'].flatMap((file) => ['--ro-bind', '/dev/null', file]);
  const kindOf = (mode: number) => {
    chmodSync(from, mode);
    const node = [process.execPath, '--input-type=module', '-e', script];
    const args = ['--dev-bind', '/', '/', ...hidden, ...node];
    return execFileSync('bwrap', args, { encoding: 'utf8' }).trim();
  };
  assert.deepEqual([0o755, 0o644, 0o700].map(kindOf), Array(3).fill('undefined'));
  chmodSync(from, 0o700);
  execFileSync('setfacl', ['-m', 'u:65534:rwx', from]);
  assert.equal(kindOf(0o770), 'no-cp');
  execFileSync('setfacl', ['-b', from]);
  assert.deepEqual([0o750, 0o640].map(kindOf), ['no-cp', 'no-cp']);
});

test('a time before 1970 is set to the last digit', () => {
  const file = put('times/file', '');
  for (const time of [-18_576_000_000_000_001n, -1n, 0n, 5n, 1_700_000_000_123_456_789n]) {
    setTime(file, time, process.env['PATH']);
    assert.equal(statSync(file, { bigint: true }).mtimeNs, time);
  }
});
