// The same requests to every Nix of the rig, through the database and root directory of a real /nix.
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { ensureRig, type Rig } from '../rig/rig.ts';
import { type Command, homeInRoot, type Outcome, openRoot, type Root } from '../rig/root.ts';

const PROJECT = path.resolve(import.meta.dirname, '../..');
const PROGRAM = path.join(import.meta.dirname, 'programs/use-nix.ts');

let rig: Rig;
let root: Root;

before(
  async () => {
    rig = await ensureRig('full');
    root = await openRoot(rig, { binds: [{ from: PROJECT, mode: 'read-only' }] });
  },
  { timeout: 30 * 60_000 },
);
after(() => root?.close());

async function run(bin: string, ...argv: [string, ...string[]]): Promise<Outcome> {
  const command: Command = { argv, env: { PATH: bin, NIX_REMOTE: 'local' } };
  const outcome = await root.run(command);
  assert.equal(outcome.status, 0, outcome.stderr);
  return outcome;
}

test('the rig has several Nix', () => {
  assert.ok(rig.nixVersions.length >= 3, JSON.stringify(rig.nixVersions));
});

test('every Nix adds, refuses, pins, and collects what is not pinned', { timeout: 120_000 }, async (t) => {
  for (const { version, bin } of rig.nixVersions) {
    await t.test(version, async () => {
      // A library that nothing else keeps: its own fate shows what the root is worth.
      const source = path.join(homeInRoot, `source-${version}`);
      await run(bin, rig.bash, '-c', `printf '%s' ${version} > ${source}`);
      const reference = (await run(bin, `${bin}/nix-store`, '--add', source)).stdout.trim();
      const link = `${homeInRoot}/link-${version}`;
      const node = [rig.node, '--disable-warning=ExperimentalWarning', PROGRAM, reference, link] as const;
      const answer = JSON.parse((await run(bin, ...node)).stdout);
      assert.equal(answer.version.replace(/[-+].*/, ''), version);
      assert.equal(answer.added.kind, 'pinned', JSON.stringify(answer.added));
      assert.equal(answer.same, true);
      assert.equal(answer.refused.kind, 'vanished');
      assert.ok(answer.refused.why.includes(answer.gone), answer.refused.why);
      assert.deepEqual(answer.rooted, { kind: 'rooted' });
      assert.equal(answer.goneRoot.kind, 'vanished');
      assert.deepEqual(answer.invalid, [answer.gone]);
      assert.equal(answer.valid, true);
      assert.match(answer.narHash, /^sha256:/);

      const { storePath } = answer.added;
      const references = (await run(bin, `${bin}/nix-store`, '-q', '--references', storePath)).stdout.trim();
      assert.equal(references, reference);
      const check = (each: string): Promise<Outcome> =>
        root.run({ argv: [`${bin}/nix-store`, '--check-validity', each], env: { NIX_REMOTE: 'local' } });
      const remove = (file: string): Promise<Outcome> => run(bin, rig.node, '-e', `fs.rmSync("${file}")`);
      // Both links pin it: the one made by adding the root, then the one made with the text.
      for (const rest of [[link], [`${link}-text`]]) {
        await run(bin, `${bin}/nix-store`, '--gc');
        for (const each of [storePath, reference]) assert.equal((await check(each)).status, 0, each);
        for (const each of rest) await remove(each);
      }
      await run(bin, `${bin}/nix-store`, '--gc');
      for (const each of [storePath, reference]) assert.notEqual((await check(each)).status, 0, each);
    });
  }
});
