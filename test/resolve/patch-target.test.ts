// A file and who would replace it → whether root could be led to another file while it does.
import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  lchownSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { ForeignError } from '../../src/host/errors.ts';
import {
  findTarget,
  refuseOthersDirectory,
  refuseOthersLink,
  refuseOthersShim,
  refuseUnreplaceable,
} from '../../src/resolve/patch-target.ts';

const dir = mkdtempSync(path.join(tmpdir(), 'nix-run-foreign-target-'));
after(() => rmSync(dir, { recursive: true, force: true }));
const OWNER = 1000;
const asRoot = process.getuid?.() === 0 ? {} : { skip: 'only root gives files away' };

/** A file of one owner in a directory of another. */
function put(name: string, file: number, directory: number, mode = 0o755): string {
  const target = path.join(dir, name, 'tool');
  mkdirSync(path.dirname(target));
  writeFileSync(target, '');
  chownSync(target, file, file);
  chownSync(path.dirname(target), directory, directory);
  chmodSync(path.dirname(target), mode);
  return target;
}

/** What is said to somebody who would replace it; undefined where nothing is in the way. */
function refusalOf(typedName: string, uid: number, file = typedName): string | undefined {
  try {
    refuseUnreplaceable(findTarget(typedName, '/nix/store'), [file], uid);
    return undefined;
  } catch (error) {
    assert.ok(error instanceof ForeignError);
    return `${error.code}: ${error.hint}`;
  }
}

test('root replaces no file where its owner may rename: the owner does', asRoot, () => {
  const file = put('theirs', OWNER, OWNER);
  const hint = `as its owner: sudo -u '#${OWNER}' env "PATH=$PATH" nix-foreign patch ${file}`;
  assert.equal(refusalOf(file, 0), `others-directory: ${hint}`);
  assert.equal(refusalOf(file, 2000), `not-owner: ${hint}`);
  assert.equal(refusalOf(file, OWNER), undefined);
});

test("root's own file in a directory of another's is left too", asRoot, () => {
  const file = put('planted', 0, OWNER);
  assert.match(refusalOf(file, 0) ?? '', /^others-directory: leave it as it is and write another/);
});

test('where only root may write it replaces what is whose it may be', asRoot, () => {
  const file = put('kept', OWNER, 0);
  assert.equal(refusalOf(file, 0), undefined);
  assert.equal(
    refusalOf(file, 2000),
    `not-owner: as root: sudo env "PATH=$PATH" nix-foreign patch --system ${file}`,
  );
});

test("in a sticky directory only what is root's, and outputs", asRoot, () => {
  assert.match(refusalOf(put('sticky', OWNER, 0, 0o1777), 0) ?? '', /^others-directory/);
  assert.equal(refusalOf(put('sticky-roots', 0, 0, 0o1777), 0), undefined);
  const target = findTarget(put('source', OWNER, OWNER), '/nix/store');
  const asOutput = (name: string) =>
    refuseOthersDirectory(target, [path.join(dir, name, 'out')], 0, { command: 'patch', output: name });
  asOutput('sticky');
  asOutput('kept');
  assert.throws(() => asOutput('source'), /others may rename files in/);
});

test('no link that others may change leads root to another file, wherever that lies', asRoot, () => {
  const file = put('meant', OWNER, 0);
  mkdirSync(path.join(dir, 'links'));
  const link = path.join(dir, 'links/tool');
  symlinkSync(file, link);
  const through = () => refusalOf(link, 0, file);
  assert.equal(through(), undefined, "root's own link, whoever owns the file");
  const refused = `others-link: if that is meant, name it itself: nix-foreign patch ${file}`;
  chownSync(path.join(dir, 'links'), OWNER, OWNER);
  assert.equal(through(), refused);
  chownSync(path.join(dir, 'links'), 0, 0);
  chmodSync(path.join(dir, 'links'), 0o1777);
  assert.equal(through(), undefined, 'a sticky directory');
  lchownSync(link, OWNER, OWNER);
  assert.equal(through(), refused);
  const ledTo = (name: string) => () => refuseOthersLink(name, file, 0, 'patch');
  assert.doesNotThrow(ledTo(file));
  // Exchanged meanwhile: it was a link when it was looked at first.
  rmSync(link);
  assert.throws(ledTo(link), { code: 'others-link' }, 'gone');
  writeFileSync(link, '');
  chownSync(link, OWNER, OWNER);
  assert.throws(ledTo(link), { code: 'others-link' }, 'a file of theirs');
  assert.throws(ledTo(path.join(dir, 'meant/../links/tool')), { code: 'others-link' });
  assert.doesNotThrow(ledTo(path.join(dir, 'links/../meant/tool')));
});

test('what others may rename is refused for that, also behind their link', asRoot, () => {
  const file = put('behind', OWNER, OWNER);
  const link = path.join(dir, 'to-theirs');
  symlinkSync(file, link);
  lchownSync(link, OWNER, OWNER);
  const hint = `as its owner: sudo -u '#${OWNER}' env "PATH=$PATH" nix-foreign patch ${link}`;
  assert.equal(refusalOf(link, 0, file), `others-directory: ${hint}`);
});

test('a directory that is not there, which anybody might make, is no place for an output', asRoot, () => {
  const target = findTarget(put('absent', 0, 0), '/nix/store');
  const names = [path.join(dir, 'nowhere/out')];
  const asOutput = () => refuseOthersDirectory(target, names, 0, { command: 'patch', output: names[0] });
  assert.throws(asOutput, { code: 'no-directory', hint: `make it first: mkdir -p ${dir}/nowhere` });
});

test('a shim of somebody else says to root which program nobody meant', asRoot, () => {
  const file = put('shimmed', 0, 0);
  const shim = put('shims', 0, 0);
  const led = () => refuseOthersShim(shim, file, 0, 'patch');
  assert.doesNotThrow(led);
  chownSync(shim, OWNER, OWNER);
  assert.throws(led, { code: 'others-link' });
  assert.doesNotThrow(() => refuseOthersShim(shim, file, OWNER, 'patch'));
  const there = path.relative(process.cwd(), shim);
  assert.throws(() => refuseOthersShim(there, file, 0, 'patch'), { code: 'others-link' }, 'a relative PATH');
  chownSync(shim, 0, 0);
  assert.doesNotThrow(() => refuseOthersShim(there, file, 0, 'patch'));
  chownSync(shim, OWNER, OWNER);
  const theirs = put('behind-shim', OWNER, OWNER);
  assert.doesNotThrow(() => refuseOthersShim(shim, theirs, 0, 'patch'), 'refused for its directory');
});
