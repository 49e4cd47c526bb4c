// Files with odd modes, names, times and links, alone and in trees → patched and back, or refused with each as it was.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  cpSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { compile } from '../compile.ts';
import { stateOf } from '../saved-state.ts';
import { openVendorRoot, uid } from './vendor-root.ts';

const SAY = '#include <stdio.h>\nint main(void) { return puts("said") < 0; }';
/** A copy with a segment more prints something else. */
const SIZE = `#include <stdio.h>
#include <sys/stat.h>
int main(void) { struct stat s; stat("/proc/self/exe", &s); printf("%ld\\n", (long) s.st_size); return 0; }`;
const vendor = await openVendorRoot('small');
const at = (name: string): string => path.join(vendor.dir, name);
const say = compile(at('say'), SAY);
const sha = (name: string): string =>
  createHash('sha256')
    .update(readFileSync(at(name)))
    .digest('hex');
const first = sha('say');
const manage = async (...words: string[]) => await vendor.root.manage(words);
const collect = async () => await vendor.root.run({ argv: [`${vendor.rig.nixBin}/nix-store`, '--gc'] });

async function done(...words: string[]): Promise<string> {
  const { status, stdout, stderr } = await manage(...words);
  assert.equal(status, 0, `${words.join(' ')}: ${stderr}`);
  return stdout;
}

/** A directory of the user's, with the program in it under two names in two directories. */
function linked(name: string): void {
  vendor.put(say, `${name}/bin/first`);
  mkdirSync(at(`${name}/lib`));
  linkSync(at(`${name}/bin/first`), at(`${name}/lib/second`));
  for (const each of [name, `${name}/lib`]) chownSync(at(each), uid, uid);
}

test('a directory that may be written but not read: the program is patched, has its root, and starts', async () => {
  vendor.put(say, 'blind/tool');
  chmodSync(at('blind'), 0o300);
  await done('patch', '-y', '/vendor/blind/tool');
  assert.equal((await collect()).status, 0);
  assert.equal((await vendor.root.bare('/vendor/blind/tool')).stdout, 'said\n');
  await done('unpatch', '/vendor/blind/tool');
  assert.equal(sha('blind/tool'), first);
});

test('a program that its owner may not write is patched and taken back, alone, to an output and in a tree', async () => {
  const modeOf = (name: string) => statSync(at(name)).mode & 0o7777;
  for (const name of ['shut/tool', 'shut-tree/tool']) chmodSync(vendor.put(say, name), 0o555);
  for (const [file, words] of [
    ['shut/tool', ['/vendor/shut/tool']],
    ['shut/out', ['/vendor/shut/tool', '-o', '/vendor/shut/out']],
    ['shut-tree/tool', ['--tree', '/vendor/shut-tree']],
  ] as const) {
    await done('patch', '-y', ...words);
    assert.notEqual(sha(file), first);
    assert.equal(modeOf(file), 0o555);
  }
  for (const [file, words] of [
    ['shut/back', ['/vendor/shut/out', '-o', '/vendor/shut/back']],
    ['shut/tool', ['/vendor/shut/tool']],
    ['shut-tree/tool', ['--tree', '/vendor/shut-tree']],
  ] as const) {
    await done('unpatch', ...words);
    assert.deepEqual([sha(file), modeOf(file)], [first, 0o555]);
  }
});

test('a hard link in a directory that cannot be written: none of its names is patched', async () => {
  linked('half');
  chmodSync(at('half/lib'), 0o555);
  const { status, stderr } = await manage('patch', '-y', '--tree', '/vendor/half');
  assert.equal(status, 126, stderr);
  assert.match(
    stderr,
    /nothing can be written beside its other name \/vendor\/half\/lib\/second: permission denied\n/,
  );
  assert.deepEqual([sha('half/bin/first'), sha('half/lib/second')], [first, first]);
  assert.equal(statSync(at('half/bin/first')).nlink, 2);
  assert.deepEqual(readdirSync(at('half/bin')), ['first']);
  assert.doesNotMatch(await done('list'), /vendor\/half/);
});

test('a time before 1970 comes back', async () => {
  vendor.put(say, 'old');
  utimesSync(at('old'), -18_576_000.5, -18_576_000.5);
  const { mtimeNs } = statSync(at('old'), { bigint: true });
  await done('patch', '-y', '/vendor/old');
  await done('unpatch', '/vendor/old');
  assert.deepEqual([sha('old'), statSync(at('old'), { bigint: true }).mtimeNs], [first, mtimeNs]);
});

test('names that are not UTF-8 are passed over in a tree, and told once', async () => {
  vendor.put(say, 'latin/tool');
  for (const name of ['caf\xe9', 'na\xefve']) {
    const file = Buffer.concat([Buffer.from(at('latin/')), Buffer.from(name, 'latin1')]);
    writeFileSync(file, '');
  }
  mkdirSync(Buffer.concat([Buffer.from(at('latin/')), Buffer.from('\xe9t\xe9', 'latin1')]));
  for (const words of [['patch', '-y'], ['unpatch']]) {
    const { status, stderr } = await manage(...words, '--tree', '/vendor/latin');
    assert.equal(status, 0, stderr);
    assert.equal(stderr.match(/3 names in it are not UTF-8/g)?.length, 1, stderr);
  }
  assert.equal(sha('latin/tool'), first);
});

const linkedNames = ['bin/first', 'lib/second'];
const sums = (tree: string) => linkedNames.map((name) => sha(`${tree}/${name}`));
const inodes = (tree: string) => new Set(linkedNames.map((name) => statSync(at(`${tree}/${name}`)).ino));

test('hard links in two directories of a tree go there and back as one file, by a relative path too', async () => {
  linked('links');
  for (const [cwd, tree] of [
    ['/', '/vendor/links'],
    ['/vendor', 'links'],
  ] as const) {
    const typed = async (...words: string[]) => await vendor.root.manage(words, { cwd });
    const patched = await typed('patch', '-y', '--tree', tree);
    assert.equal(patched.status, 0, patched.stderr);
    assert.equal(inodes('links').size, 1);
    assert.notEqual(sha('links/bin/first'), first);
    const listed = JSON.parse(await done('list', '--json')).map((row: { program: string }) => row.program);
    assert.deepEqual(
      listed.filter((each: string) => each.includes('links')),
      ['/vendor/links/bin/first', '/vendor/links/lib/second'],
    );
    const undone = await typed('unpatch', '--tree', tree);
    assert.equal(undone.status, 0, undone.stderr);
    assert.deepEqual(sums('links'), [first, first]);
    assert.equal(inodes('links').size, 1);
  }
});

test('hard links in one directory are patched by a relative path, and taken back by --all', async () => {
  vendor.put(say, 'pair/a');
  linkSync(at('pair/a'), at('pair/b'));
  const { status, stderr } = await vendor.root.manage(['patch', '-y', '--tree', 'pair'], { cwd: '/vendor' });
  assert.equal(status, 0, stderr);
  linked('links-again');
  await done('patch', '-y', '--tree', '/vendor/links-again');
  await done('unpatch', '--all');
  assert.deepEqual([sha('pair/a'), sha('pair/b'), ...sums('links-again')], [first, first, first, first]);
  assert.doesNotMatch(await done('list'), /patched file/);
});

test('with --strict hard links are undone too when a later program fails its trial', async () => {
  linked('strict');
  vendor.put(compile(at('self'), SIZE), 'strict/bin/last');
  const words = ['--method', 'append', '--try', 'x', '--strict'];
  const { status, stdout, stderr } = await manage('patch', '-y', ...words, '--tree', '/vendor/strict');
  assert.equal(status, 1, stderr);
  assert.match(stdout, /bin\/first: patched/, stderr);
  assert.match(stderr, /bin\/last: the patched copy is not as good/);
  assert.deepEqual(sums('strict'), [first, first]);
  assert.equal(inodes('strict').size, 1);
});

test('with --strict a file that is patched by other choices is not patched again, and the tree stays', async () => {
  vendor.put(compile(at('early'), `${SAY}\nint early;`), 'again/one');
  vendor.put(compile(at('late'), `${SAY}\nint late;`), 'again/two');
  await done('patch', '-y', '--method', 'append', '/vendor/again/one');
  const before = [sha('again/one'), sha('again/two')];
  const words = ['patch', '-y', '--strict', '--plain', '--tree', '/vendor/again'];
  const { status, stderr } = await manage(...words);
  assert.equal(status, 1);
  assert.match(stderr, /again\/one: it is patched already by other choices/);
  assert.match(stderr, /unpatch \/vendor\/again\/one/);
  assert.deepEqual([sha('again/one'), sha('again/two')], before);
  // Of a copy nothing has to be put back: it would go as a whole.
  await done(...words, '-o', '/vendor/again-copied');
  assert.notEqual(sha('again-copied/one'), before[0]);
  assert.deepEqual([sha('again/one'), sha('again/two')], before);
  await done('unpatch', '/vendor/again/one');
  await done(...words);
});

test('a program of a tree that may be executed but not read is named', async () => {
  vendor.put(say, 'closed/open');
  const closed = vendor.put(say, 'closed/shut');
  chownSync(closed, 0, 0);
  chmodSync(closed, 0o111);
  const { status, stderr } = await manage('patch', '-y', '--tree', '/vendor/closed');
  assert.equal(status, 0, stderr);
  assert.match(stderr, /\/vendor\/closed\/shut: executable, but you may not read it, so it is passed over/);
  assert.doesNotMatch(stderr, /closed\/open/);
  assert.notEqual(sha('closed/open'), first);
});

test('a copy of a patched file keeps root and undo data when the other is taken back', async () => {
  vendor.put(compile(at('twin'), `${SAY}\nint twin;`), 'twins/one');
  const before = sha('twins/one');
  await done('patch', '-y', '/vendor/twins/one');
  cpSync(at('twins/one'), at('twins/two'), { preserveTimestamps: true });
  chownSync(at('twins/two'), uid, uid);
  await done('unpatch', '/vendor/twins/one');
  assert.doesNotMatch(await done('list'), /patched file.*twins/);
  assert.equal((await collect()).status, 0);
  assert.equal((await vendor.root.bare('/vendor/twins/two')).stdout, 'said\n');
  await done('prune');
  assert.match(await done('list'), /^patched file {2}\/vendor\/twins\/two$/m);
  await done('unpatch', '/vendor/twins/two');
  assert.equal(sha('twins/two'), before);
  assert.match(await done('prune', '--patched'), /pruned \/vendor\/twins\/one, \/vendor\/twins\/two: /);
});

test('a copy of a file that was unpatched keeps its root when the file is patched again, and that fails', async () => {
  vendor.put(compile(at('late-twin'), `${SIZE}\nint late_twin;`), 'failing/one');
  const patch = ['patch', '-y', '--method', 'append', '/vendor/failing/one'];
  await done(...patch);
  cpSync(at('failing/one'), at('failing/two'), { preserveTimestamps: true });
  await done('unpatch', '/vendor/failing/one');
  const { status, stderr } = await manage(...patch, '--try', 'x');
  assert.equal(status, 126);
  assert.match(stderr, /the patched copy is not as good/);
  await done('forget', '--all');
  assert.equal((await collect()).status, 0);
  assert.equal((await vendor.root.bare('/vendor/failing/two')).status, 0);
  await done('prune');
  assert.match(await done('list'), /^patched file {2}\/vendor\/failing\/two$/m);
});

test('files of one content that name the launcher only, and those of a tree, keep mode and time each', async () => {
  const files = ['same/a/tool', 'same/b/tool'];
  const stats = () => files.map((name) => [statSync(at(name)).mode & 0o7777, statSync(at(name)).mtimeMs]);
  files.forEach((name, index) => {
    vendor.put(compile(at('same-content'), `${SAY}\nint same;`), name);
    chmodSync(at(name), index === 0 ? 0o755 : 0o700);
    utimesSync(at(name), 1e9 + index, 1e9 + index);
  });
  chownSync(at('same'), uid, uid);
  const before = stats();
  await done('patch', '-y', '--tree', '/vendor/same');
  await done('unpatch', '--tree', '/vendor/same');
  assert.deepEqual(stats(), before);
  for (const name of files) await done('patch', '-y', '--method', 'interpreter', `/vendor/${name}`);
  for (const name of files.reverse()) await done('unpatch', `/vendor/${name}`);
  files.reverse();
  assert.deepEqual(stats(), before);
  for (const name of files) await done('patch', '-y', '--method', 'interpreter', `/vendor/${name}`);
  renameSync(at('same/b/tool'), at('same/b/moved'));
  await done('unpatch', '/vendor/same/b/moved');
  assert.equal(statSync(at('same/b/moved')).mode & 0o7777, 0o700);
});

test('a root that --repair made has a record, so prune leaves it', async () => {
  vendor.put(compile(at('mend-content'), `${SAY}\nint mend;`), 'mend/tool');
  const { farm } = JSON.parse(await done('patch', '-y', '--json', '/vendor/mend/tool'));
  const record = path.join(stateOf(vendor.root), 'patched', path.basename(farm));
  rmSync(record, { recursive: true });
  assert.match(await done('patch', '--repair', '/vendor/mend/tool'), /is there and held/);
  const old = new Date(Date.now() - 3 * 3600 * 1000);
  utimesSync(record, old, old);
  await done('prune');
  assert.equal((await collect()).status, 0);
  assert.equal((await vendor.root.bare('/vendor/mend/tool')).stdout, 'said\n');
  assert.match(await done('list'), /^patched file {2}\/vendor\/mend\/tool$/m);
  await done('unpatch', '/vendor/mend/tool');
});

test("another's file is patched to an output, which is whose who makes it", async () => {
  vendor.put(say, 'theirs/tool');
  chownSync(at('theirs/tool'), 0, 0);
  await done('patch', '-y', '/vendor/theirs/tool', '-o', '/vendor/theirs/mine');
  const { uid: owner, mode } = statSync(at('theirs/mine'));
  assert.deepEqual([owner, mode & 0o7777], [uid, 0o755]);
  vendor.put(say, 'theirs/group');
  chownSync(at('theirs/group'), uid, 0);
  const { status, stderr } = await manage('patch', '-y', '/vendor/theirs/group');
  assert.equal(status, 126);
  assert.match(stderr, /its owner and group cannot be given to the new file\n.*as root.* -o OUT$/m);
});
