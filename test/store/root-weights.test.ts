// Roots in a real store → weights as Nix's own collector would have them, and facts as Nix tells them, by every Nix.
import assert from 'node:assert/strict';
import { chmodSync, rmSync } from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import { type PathFacts, parseDump } from '../../src/store/path-info.ts';
import { parseRoots, type Weight } from '../../src/store/sizes.ts';
import { providerOf } from '../rig/binary-cache.ts';
import { ensureRig } from '../rig/rig.ts';
import { homeInRoot, openRoot, type Root } from '../rig/root.ts';
import { sampled } from '../sample.ts';

const PROJECT = path.resolve(import.meta.dirname, '../..');
const PROGRAM = path.join(import.meta.dirname, 'programs/weigh-paths.ts');

const rig = await ensureRig('full');
const binds = [{ from: PROJECT, mode: 'read-only' } as const];

/** Two of ours that share libraries, and one of somebody else, who keeps some of those as well. */
const LINKS = { x11: `${homeInRoot}/ours/x11`, xext: `${homeInRoot}/ours/xext` };
const THEIRS = `${homeInRoot}/theirs/xcb`;
const paths = Object.fromEntries(
  Object.entries({ x11: 'libX11.so.6', xext: 'libXext.so.6', xcb: 'libxcb.so.1', z: 'libz.so.1' }).map(
    ([name, soname]) => [name, providerOf(rig, 'bookworm', soname).path],
  ),
) as Record<'x11' | 'xext' | 'xcb' | 'z', string>;
const unknown = `/nix/store/${'a'.repeat(32)}-unknown`;

interface Answer {
  readonly byLink: readonly [string, Weight][];
  readonly closure: number;
  readonly ours: number;
  readonly facts: readonly [string, PathFacts][];
  readonly closures: readonly string[];
  readonly nothing: number;
}

function nixIn(root: Root, bin: string) {
  return async (...argv: [string, ...string[]]): Promise<string[]> => {
    const { status, stdout, stderr } = await root.run({ argv, env: { PATH: bin } });
    assert.equal(status, 0, stderr);
    return stdout.split('\n').filter((line) => line !== '');
  };
}

const hostPath = (root: Root, link: string) => path.join(root.homeDir, path.relative(homeInRoot, link));

async function weigh(root: Root, bin: string): Promise<Answer> {
  const ours = `${LINKS.x11}=${paths.x11},${LINKS.xext}=${paths.xext}`;
  const node = [rig.node, '--disable-warning=ExperimentalWarning', PROGRAM, ours] as const;
  const wanted = [...Object.values(paths), unknown];
  const { status, stdout, stderr } = await root.run({ argv: [...node, ...wanted], env: { PATH: bin } });
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout) as Answer;
}

async function check(root: Root, bin: string): Promise<void> {
  const nix = nixIn(root, bin);
  const addRoots = async (): Promise<void> => {
    for (const [link, target] of [
      [LINKS.x11, paths.x11],
      [LINKS.xext, paths.xext],
      [THEIRS, paths.xcb],
    ] as const)
      await nix('nix-store', '--realise', target, '--add-root', link, '--indirect');
  };
  const sizeOf = async (each: readonly string[]): Promise<number> =>
    (each.length === 0 ? [] : await nix('nix-store', '-q', '--size', ...each)).reduce(
      (sum, line) => sum + Number(line),
      0,
    );
  const dead = async (): Promise<string[]> =>
    (await nix('nix-store', '--gc', '--print-dead')).filter((line) => line.startsWith('/nix/store/'));
  /** What the collector would take if these links were not there. */
  const keptBy = async (...links: string[]): Promise<number> => {
    await addRoots();
    const before = new Set(await dead());
    for (const link of links) rmSync(hostPath(root, link));
    const freed = (await dead()).filter((each) => !before.has(each));
    const size = await sizeOf(freed);
    await addRoots();
    return size;
  };
  const closureSize = async (...each: [string, ...string[]]): Promise<number> =>
    await sizeOf(await nix('nix-store', '-q', '--requisites', ...each));

  const both = await keptBy(LINKS.x11, LINKS.xext);
  const expected = {
    [LINKS.x11]: { closure: await closureSize(paths.x11), alone: await keptBy(LINKS.x11) },
    [LINKS.xext]: { closure: await closureSize(paths.xext), alone: await keptBy(LINKS.xext) },
  };
  const answer = await weigh(root, bin);
  const byLink = new Map(answer.byLink);
  for (const [link, { closure, alone }] of Object.entries(expected)) {
    assert.equal(byLink.get(link)?.closure, closure, link);
    assert.equal(byLink.get(link)?.alone, alone, link);
  }
  assert.equal(answer.ours, both);
  assert.equal(answer.closure, await closureSize(paths.x11, paths.xext));
  const x11 = byLink.get(LINKS.x11);
  const xext = byLink.get(LINKS.xext);
  assert.ok(x11 && xext && x11.ours > 0 && x11.ours < x11.closure, JSON.stringify(answer));
  assert.equal(x11.alone, 0, 'libXext keeps libX11 as well');
  assert.ok(xext.alone > 0 && xext.alone < xext.ours);

  const facts = new Map(answer.facts);
  assert.deepEqual([...facts.keys()].sort(), Object.values(paths).sort());
  const requisites = await nix('nix-store', '-q', '--requisites', ...Object.values(paths));
  assert.deepEqual([...answer.closures].sort(), requisites.sort());
  assert.equal(answer.nothing, 0, 'one of the paths is not valid');
  const hashes = await nix('nix-store', '-q', '--hash', ...Object.values(paths));
  assert.equal(hashes.length, Object.keys(paths).length);
  for (const each of Object.values(paths)) {
    const { references = [], narHash = '', narSize } = facts.get(each) ?? {};
    assert.deepEqual(references, (await nix('nix-store', '-q', '--references', each)).sort());
    const base32 = (await nix('nix-hash', '--type', 'sha256', '--to-base32', narHash.slice(7)))[0];
    assert.deepEqual(await nix('nix-store', '-q', '--hash', each), [`sha256:${base32}`]);
    assert.equal(narSize, await sizeOf([each]));
  }
}

for (const { version, bin } of sampled(rig.nixVersions, 3, 2)) {
  test(`Nix ${version}, as root`, async () => {
    const root = await openRoot(rig, { binds });
    after(() => root.close());
    await check(root, bin);
  });
}

test('an ordinary user, where only the daemon can read the database', async () => {
  const root = await openRoot(rig, { uid: 1000, daemon: 'running', binds });
  after(() => root.close());
  chmodSync(path.join(root.nixDir, 'var/nix/db'), 0o700);
  await check(root, rig.nixVersions.at(-1)?.bin ?? '');
});

test('roots of processes are left out, quotes or not', () => {
  const output = `/home/a b/link -> /nix/store/x
"/home/c/link -> y" -> /nix/store/y
/proc/12/maps -> /nix/store/z
"/proc/13/exe" -> /nix/store/z
{memory:1} -> /nix/store/z
{censored} -> /nix/store/z
/nix/var/nix/profiles/default-1-link -> /nix/store/p

nothing`;
  assert.deepEqual(parseRoots(output), [
    { link: '/home/a b/link', storePath: '/nix/store/x' },
    { link: '/home/c/link -> y', storePath: '/nix/store/y' },
    { link: '/nix/var/nix/profiles/default-1-link', storePath: '/nix/store/p' },
  ]);
});

test('a dump that is cut off or none at all gives what is whole', () => {
  const hash = 'b'.repeat(64);
  const dump = `/nix/store/x\n${hash}\n120\n\n2\n/nix/store/z\n/nix/store/y\n`;
  const whole = { narHash: `sha256:${hash}`, narSize: 120, references: ['/nix/store/y', '/nix/store/z'] };
  assert.deepEqual([...parseDump(dump)], [['/nix/store/x', whole]]);
  assert.deepEqual([...parseDump(`${dump}/nix/store/w\n${hash}\n`)], [['/nix/store/x', whole]]);
  assert.deepEqual([...parseDump('error\n\n\n\n\n\n')], []);
  assert.deepEqual([...parseDump('')], []);
});
