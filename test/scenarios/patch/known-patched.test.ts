// A patched file → what the other commands say of it: its original's libraries, its root, and that its libraries are gone.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  lutimesSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
} from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { planKey } from '../../../src/plan/plan-format.ts';
import { compile } from '../compile.ts';
import { stateOf } from '../saved-state.ts';
import { foreignNamed, openVendorRoot, uid } from './vendor-root.ts';

const vendor = await openVendorRoot('small');
const curl = vendor.put(foreignNamed(vendor.rig, 'curl'), 'curl');

async function manage(...words: string[]): Promise<string> {
  const outcome = await vendor.root.manage(words);
  assert.equal(outcome.status, 0, `${words.join(' ')}: ${outcome.stderr}`);
  return outcome.stdout;
}

const collect = async () => await vendor.root.run({ argv: [`${vendor.rig.nixBin}/nix-store`, '--gc'] });
const json = async (...words: string[]) => JSON.parse(await manage(...words, '--json'));

const before = await json('explain', '/vendor/curl');
const offered = await json('choose', '/vendor/curl');
const { farm } = await json('patch', '-y', '/vendor/curl');

test('explain and graph tell of the original, and name the patched file', async () => {
  const after = await json('explain', '/vendor/curl');
  assert.equal(after.program, '/vendor/curl');
  assert.equal(after.strategy, 'patched file');
  assert.equal(after.sha256, before.sha256);
  assert.equal(after.farm, farm);
  const files = (each: { objects: { file: string }[] }) => each.objects.map(({ file }) => file);
  assert.deepEqual(files(after), files(before));
  assert.equal(after.plan, undefined);
  const text = await manage('explain', '/vendor/curl');
  assert.doesNotMatch(text, /\.tmp/);
  assert.match(await manage('explain', '/vendor/curl', '--why', 'libcurl.so.4'), /libcurl\.so\.4/);
  assert.match(await manage('graph', '/vendor/curl', '--format', 'dot'), /libcurl\.so\.4/);
});

/** Programs for which the plan for everybody is not followed. */
const decided = () => readdirSync(path.join(stateOf(vendor.root), 'decided'));

test('choose offers what the original has, and a choice counts for the next patch', async () => {
  assert.deepEqual(await json('choose', '/vendor/curl'), offered);
  await manage('choose', '/vendor/curl', '--exclude', 'no-such-object-*');
  assert.deepEqual(decided(), [planKey('/vendor/curl')], 'marked, and nothing else is');
  const explained = await json('explain', '/vendor/curl');
  assert.deepEqual(explained.choices.exclude, ['no-such-object-*']);
  await manage('choose', '/vendor/curl', '--reset');
  assert.deepEqual(decided(), []);
  assert.equal((await json('explain', '/vendor/curl')).choices, undefined);
});

test('fingerprint export writes the document of the original', async () => {
  await manage('fingerprint', 'export', '/vendor/curl', '-o', '/vendor/curl.json');
  assert.equal((await json('fingerprint', 'show', '/vendor/curl.json')).program.sha256, before.sha256);
});

test('publish and pull refuse it, and say why', async () => {
  for (const words of [
    ['publish', '/vendor/curl', '--to', 'file:///tmp/cache'],
    ['pull', '/vendor/curl'],
  ]) {
    const { status, stderr } = await vendor.root.manage(words);
    assert.equal(status, 125);
    assert.match(stderr, /\/vendor\/curl: it is patched, and .*\n.*nix-foreign unpatch \/vendor\/curl$/m);
  }
});

test('nothing is left of the originals that were looked at', async () => {
  const left = (await json('list')).map(({ program }: { program: string }) => program);
  assert.deepEqual(left, ['/vendor/curl']);
  assert.deepEqual(readdirSync(vendor.dir).sort(), ['curl', 'curl.json']);
});

test('list and roots show it, doctor is content', async () => {
  const [row] = await json('list');
  assert.deepEqual([row.strategy, row.state, row.pinned, row.farm], ['patched file', 'ready', true, farm]);
  assert.match(await manage('list'), /^patched file {2}\/vendor\/curl$/m);
  const { roots } = await json('roots');
  const own = roots.find(({ patched }: { patched: boolean }) => patched);
  assert.equal(own.program, '/vendor/curl');
  assert.equal(own.storePath, farm);
  assert.ok(own.closure > 1 << 20, `${own.closure} bytes`);
  const { stdout } = await vendor.root.manage(['doctor']);
  assert.match(stdout, /^ok +patched files +1, each with what it names$/m);
});

test('prune does not take its root, however old it is and wherever the file is', async () => {
  const record = path.join(stateOf(vendor.root), 'patched', path.basename(farm));
  const old = new Date('2001-02-03');
  lutimesSync(path.join(record, 'root'), old, old);
  await manage('forget', '--all');
  mkdirSync(path.join(vendor.dir, 'away'));
  renameSync(curl, path.join(vendor.dir, 'away/curl'));
  assert.match(await manage('prune', '--unused', '1'), /nothing to prune/);
  assert.equal((await collect()).status, 0);
  assert.equal((await vendor.root.bare('/vendor/away/curl', ['--version'])).status, 0);
  const [row] = await json('list');
  assert.deepEqual([row.program, row.state], ['/vendor/away/curl', 'ready']);
  renameSync(path.join(vendor.dir, 'away/curl'), curl);
  assert.match(await manage('list'), /\/vendor\/away\/curl {2}\(not there\)/);
  assert.match(
    (await vendor.root.manage(['doctor'])).stdout,
    /^note +patched files +\/vendor\/away\/curl is not where it was/m,
  );
  assert.match(await manage('prune', '--patched'), /nothing to prune/);
  assert.match(await manage('list'), /^patched file {2}\/vendor\/curl$/m);
});

test('forget leaves a patched file its root, and takes that of one that is gone', async () => {
  const refused = await vendor.root.manage(['forget', '/vendor/curl']);
  assert.equal(refused.status, 125);
  assert.match(refused.stderr, /it is patched, and could not start.*\n.*nix-foreign unpatch \/vendor\/curl/);
  vendor.put(foreignNamed(vendor.rig, 'curl'), 'brief');
  const { farm: own } = await json('patch', '-y', '--no-lift', '/vendor/brief');
  assert.notEqual(own, farm);
  const record = path.join(stateOf(vendor.root), 'patched', path.basename(own));
  assert.ok(existsSync(record));
  rmSync(path.join(vendor.dir, 'brief'));
  assert.match(await manage('forget', '/vendor/brief'), /forgot \/vendor\/brief/);
  assert.ok(!existsSync(record));
});

test('of a file that was unpatched prune says that, and not that it is gone', async () => {
  vendor.put(foreignNamed(vendor.rig, 'curl'), 'brief');
  await manage('patch', '-y', '--no-lift', '/vendor/brief');
  await manage('unpatch', '/vendor/brief');
  const why = 'it is not patched any more';
  const kept = `kept /vendor/brief: ${why}, and no patched copy was found; it is kept for 30 days more`;
  assert.ok((await manage('prune')).includes(kept));
  assert.match(await manage('prune', '--patched'), new RegExp(`^pruned /vendor/brief: ${why}$`, 'm'));
});

test('a patched file that may be executed but not read is there, and keeps its root', async () => {
  const brief = vendor.put(foreignNamed(vendor.rig, 'curl'), 'brief');
  await manage('patch', '-y', '--no-lift', '/vendor/brief');
  chmodSync(brief, 0o111);
  assert.equal((await vendor.root.bare('/vendor/brief', ['--version'])).status, 0);
  for (const words of [['prune'], ['prune', '--patched']])
    assert.match(await manage(...words), /nothing to prune/);
  assert.match(await manage('list'), /^patched file {2}\/vendor\/brief$/m);
  assert.match(
    (await vendor.root.manage(['doctor'])).stdout,
    /^ok +patched files +2, each with what it names$/m,
  );
  const refused = await vendor.root.manage(['forget', '/vendor/brief']);
  assert.equal(refused.status, 125, refused.stdout);
  assert.match(refused.stderr, /\/vendor\/brief: it is patched, and could not start/);
  rmSync(brief);
  assert.match(await manage('prune', '--patched'), /pruned \/vendor\/brief: the patched file is gone/);
});

test('a patched file that was stripped is found where it was moved, and keeps its root', async () => {
  const at = (name: string): string => path.join(vendor.dir, name);
  const brief = compile(at('brief'), '#include <stdio.h>\nint main(void) { return puts("said") < 0; }');
  chownSync(brief, uid, uid);
  await manage('patch', '-y', '/vendor/brief');
  const { size } = statSync(brief);
  execFileSync('strip', [brief]);
  assert.notEqual(statSync(brief).size, size);
  chownSync(brief, uid, uid);
  renameSync(brief, at('stripped'));
  assert.doesNotMatch(await manage('prune', '--patched'), /the patched file is gone/);
  assert.match(await manage('list'), /^patched file {2}\/vendor\/stripped$/m);
  renameSync(at('stripped'), at('elsewhere'));
  assert.match(await manage('patch', '--check', '/vendor/elsewhere'), /held by .*; was changed after/);
  assert.match(await manage('list'), /^patched file {2}\/vendor\/elsewhere$/m);
  assert.equal((await collect()).status, 0);
  assert.equal((await vendor.root.bare('/vendor/elsewhere')).stdout, 'said\n');
  rmSync(at('elsewhere'));
  assert.match(await manage('prune', '--patched'), /pruned .*\/vendor\/elsewhere/);
});

test('the root of a patched file whose content is gone is kept for 30 days, or until prune is told', async () => {
  const record = async () => {
    vendor.put(foreignNamed(vendor.rig, 'curl'), 'brief');
    const { farm: own } = await json('patch', '-y', '--no-lift', '/vendor/brief');
    rmSync(path.join(vendor.dir, 'brief'));
    return path.join(stateOf(vendor.root), 'patched', path.basename(own));
  };
  const first = await record();
  assert.match(
    await manage('prune'),
    /kept \/vendor\/brief: no such file was found; it is kept for 30 days more/,
  );
  const prunable = async (program: string): Promise<string | null> => {
    const { roots } = (await json('roots')) as { roots: { program: string; prunable: string | null }[] };
    return roots.find((row) => row.program === program)?.prunable ?? null;
  };
  assert.equal(await prunable('/vendor/brief'), null);
  const old = new Date(Date.now() - 31 * 24 * 3600 * 1000);
  utimesSync(path.join(first, 'missing'), old, old);
  assert.equal(await prunable('/vendor/brief'), 'the patched file is gone');
  assert.equal(await prunable('/vendor/curl'), null);
  assert.match(await manage('prune', '--dry-run'), /would prune \/vendor\/brief: the patched file is gone/);
  assert.ok(existsSync(first));
  assert.match(await manage('prune'), /^pruned \/vendor\/brief: the patched file is gone$/m);
  assert.ok(!existsSync(first));
  const second = await record();
  assert.match(await manage('prune', '--patched'), /pruned \/vendor\/brief/);
  assert.ok(!existsSync(second));
  assert.match(await manage('list'), /^patched file {2}\/vendor\/curl$/m);
});

test('a root that Nix has dropped is none, and is made again by a repair, or when the file is patched again', async () => {
  const link = path.join(stateOf(vendor.root), 'patched', path.basename(farm), 'root');
  const nixStore = `${vendor.rig.nixBin}/nix-store`;
  const outcome = async (...words: string[]) => (await vendor.root.manage(words)).stdout;
  for (const words of [
    ['patch', '--repair', '/vendor/curl'],
    ['patch', '-y', '/vendor/curl'],
    ['patch', '-y', '--tree', '/vendor'],
  ]) {
    // As a collector does while the link cannot be seen.
    renameSync(link, `${link}.away`);
    const { status } = await vendor.root.run({ argv: [nixStore, '--gc', '--print-roots'] });
    assert.equal(status, 0);
    renameSync(`${link}.away`, link);
    assert.match(await outcome('list'), /\/vendor\/curl {2}\(not pinned\)/);
    assert.match(await outcome('doctor'), /^note +patched files +\/vendor\/curl: nothing keeps/m);
    assert.match(await manage('patch', '--check', '/vendor/curl'), /no GC root holds it/);
    await outcome('patch', '-n', '/vendor/curl');
    assert.match(await outcome('list'), /\(not pinned\)/);
    await manage(...words);
    assert.match(await manage('list'), /^patched file {2}\/vendor\/curl$/m);
    assert.match(await manage('patch', '--check', '/vendor/curl'), /held by /);
  }
  assert.equal((await collect()).status, 0);
  assert.equal((await vendor.root.bare('/vendor/curl', ['--version'])).status, 0);
});

test('doctor says which patched file has lost its libraries, and how to get them again', async () => {
  const record = path.join(stateOf(vendor.root), 'patched', path.basename(farm));
  rmSync(path.join(record, 'root'));
  assert.match(
    (await vendor.root.manage(['doctor'])).stdout,
    /^note +patched files +\/vendor\/curl: nothing keeps/m,
  );
  assert.equal((await collect()).status, 0);
  assert.notEqual((await vendor.root.bare('/vendor/curl', ['--version'])).status, 0);
  const { status, stdout } = await vendor.root.manage(['doctor']);
  assert.equal(status, 1);
  assert.match(
    stdout,
    /^lack +patched files +\/vendor\/curl cannot start: \S+ is gone\n +fetch them again: nix-foreign patch --repair/m,
  );
  assert.match(await manage('list'), /its libraries are gone/);
  await manage('unpatch', '/vendor/curl');
  await manage('forget', '/vendor/curl');
  assert.ok(!existsSync(record));
});
