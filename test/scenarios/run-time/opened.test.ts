// Libraries that a program opens while it runs → found by every way of starting, with nothing of that left to see.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ensureRig } from '../../rig/rig.ts';
import type { Outcome } from '../../rig/root.ts';
import { openRunTimeWays, putPlugIn, putPrinter, putProgram } from './ways.ts';

const rig = await ensureRig('full');
const ways = await openRunTimeWays(rig);

const UNSEEN = 'LD_AUDIT=unset LD_LIBRARY_PATH=unset\n';

function assertPrints(outcome: Outcome, stdout: string): void {
  assert.deepEqual(
    { status: outcome.status, stdout: outcome.stdout, stderr: outcome.stderr },
    { status: 0, stdout, stderr: '' },
  );
}

/** Without us: by the bare loader of the store, as any other tool starts it. */
async function assertFailsByLoader(way: (typeof ways)[number], words: readonly string[]): Promise<void> {
  const { loader } = rig.foreign.find(({ suite }) => suite === 'trixie') ?? assert.fail();
  const { status, stdout } = await way.root.run({ argv: [loader, ...words] });
  assert.notEqual(status, 0);
  assert.match(stdout, /cannot open shared object file/);
}

for (const way of ways) {
  test(`${way.name}: a name that the program composes is found, and the second start has it in the set`, async () => {
    const program = putProgram(way.root, 'open-names');
    await assertFailsByLoader(way, [program, 'libz.so.1']);
    assertPrints(await way.start([program, 'libz.so.1']), `libz.so.1 opened\n${UNSEEN}`);
    const { stdout, status } = await way.hit([program, 'libz.so.1', 'libz.so.1']);
    assert.deepEqual(
      { status, stdout },
      { status: 0, stdout: `libz.so.1 opened\nlibz.so.1 opened\n${UNSEEN}` },
    );
  });

  test(`${way.name}: a name that nobody has fails as before, and the others are found after it`, async () => {
    const program = putProgram(way.root, 'open-names', 'false');
    const { status, stdout, stderr } = await way.start([program, 'libfalse.so.9', 'libexpat.so.1']);
    assert.match(
      stdout,
      /^libfalse\.so\.9 libfalse\.so\.9: cannot open shared object file: .*\nlibexpat\.so\.1 opened\n/,
    );
    assert.deepEqual([status, stderr], [1, '']);
  });

  test(`${way.name}: a literal name is in the set from the first start on`, async () => {
    const program = putProgram(way.root, 'open-literal');
    await assertFailsByLoader(way, [program]);
    assertPrints(await way.start([program]), 'opened\n');
    assert.equal((await way.hit([program])).stdout, 'opened\n');
    const { stdout } = await way.root.manage(['explain', program], { env: {} });
    assert.match(stdout, /libbz2\.so\.1\.0 \(data of \S+open-literal\): taken/);
  });

  test(`${way.name}: names of notes are in the set; a required one that is missing is told in one line`, async () => {
    const program = putProgram(way.root, 'open-noted');
    await assertFailsByLoader(way, [program]);
    const { status, stdout, stderr } = await way.start([program]);
    assert.deepEqual([status, stdout], [0, 'opened\n']);
    assert.match(
      stderr,
      /^nix-run-foreign: .*requires libnowhere\.so\.7, and starts without: no library offers libnowhere\.so\.7\n$/,
    );
    const again = await way.hit([program]);
    assert.deepEqual([again.status, again.stdout], [0, 'opened\n']);
    const { stdout: why } = await way.root.manage(['explain', '--why', 'libneverthere.so.7', program]);
    assert.match(why, /note of \S+, suggested\): left out: no library offers libneverthere\.so\.7/);
  });

  test(`${way.name}: a plug-in beside the program has what it needs from the first start on`, async () => {
    const program = putProgram(way.root, 'open-names', 'host');
    const plugIn = putPlugIn(way.root, 'host/platforms/plug.so', 'int plug;', ['libz.so.1', 'libbz2.so.1.0']);
    await assertFailsByLoader(way, [program, plugIn]);
    assertPrints(await way.start([program, plugIn]), `${plugIn} opened\n${UNSEEN}`);
    assert.equal((await way.hit([program, plugIn])).stdout, `${plugIn} opened\n${UNSEEN}`);
  });

  test(`${way.name}: a plug-in that appears after the first start, as an unpacked wheel`, async () => {
    const program = putProgram(way.root, 'open-names', 'venv/bin');
    assertPrints(await way.start([program]), UNSEEN);
    const wheel = putPlugIn(way.root, 'elsewhere/wheel.so', 'int wheel;', ['libz.so.1', 'libsqlite3.so.0']);
    await assertFailsByLoader(way, [program, wheel]);
    assertPrints(await way.hit([program, wheel], { env: {} }), `${wheel} opened\n${UNSEEN}`);
    assert.equal((await way.hit([program, wheel])).stdout, `${wheel} opened\n${UNSEEN}`);
    const { stdout } = await way.root.manage(['explain', program]);
    assert.match(stdout, /learned from earlier starts:\n.*libsqlite3\.so\.0, for \S+wheel\.so\n/);
    assert.match(stdout, /elsewhere\/wheel\.so, from outside the store/);
  });

  test(`${way.name}: beside the user's list, wherever it stands, the environment is as it was given`, async () => {
    const opening = putPrinter(way.root, 'opens-and-prints', []);
    const plain = putPrinter(way.root, 'prints', ['-static']);
    const others = { A: '1', B: '2', C: '3' };
    for (const env of [
      { ...others, LD_LIBRARY_PATH: '/nowhere' },
      { LD_LIBRARY_PATH: '/nowhere', ...others },
      { A: '1', LD_LIBRARY_PATH: '/nowhere', B: '2' },
      { A: '1', NIX_LD_LIBRARY_PATH: '/nowhere', B: '2' },
      { NIX_LD_LIBRARY_PATH: '/nowhere', ...others, LD_AUDIT: '' },
    ]) {
      const given = await way.start([plain], { env });
      assert.equal(given.status, 0, given.stderr);
      for (const words of [[opening], [opening, 'libz.so.1']])
        assertPrints(await way.start(words, { env }), given.stdout);
    }
  });
}
