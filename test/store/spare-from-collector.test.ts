// A collector that begins while Nix makes a root, and reads neither the root nor the process → what is pinned stays.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:net';
import path from 'node:path';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { execa } from 'execa';
import { startRootAdder } from '../../src/store/add-and-pin.ts';
import { realise } from '../../src/store/fetch.ts';
import type { Nix } from '../../src/store/nix.ts';
import { addKeptRoot, setRootBack } from '../../src/store/root-link.ts';
import { isRegistered, spareFromCollector } from '../../src/store/spare-from-collector.ts';
import { needTool } from '../launcher/tool-fixture.ts';
import { scratchDirectory } from './compiled-library.ts';
import { openPrivateStore } from './private-store.ts';

needTool('nix-store', 'nix-bin');
const scratch = scratchDirectory();
const store = openPrivateStore(path.join(scratch, 'nix'));
const { stateDir } = store.location;
const temporaryRoots = path.join(stateDir, 'temproots');
const at = (name: string): string => path.join(scratch, name);
const library = at('held-nix.so');
execFileSync('cc', [
  '-shared',
  '-fPIC',
  '-o',
  library,
  path.join(import.meta.dirname, 'programs/held-nix.c'),
  '-ldl',
]);

/** The collector has read the roots; Nix has ended, its root made. */
const [ROOTS_READ, ENDED] = [at('roots-read'), at('ended')];

/** Nix, which waits the first time before it makes its root, having named the path to a collector. */
const heldBin = at('held-nix');
mkdirSync(heldBin);
writeFileSync(
  path.join(heldBin, 'nix-instantiate'),
  `#!/bin/sh
[ -e '${ENDED}' ] && exec '${store.nix.bin}/nix-instantiate' "$@"
LD_PRELOAD='${library}' HOLD_LINKS_UNTIL='${ROOTS_READ}' '${store.nix.bin}/nix-instantiate' "$@"
status=$?
: > '${ENDED}'
exit $status
`,
);
chmodSync(path.join(heldBin, 'nix-instantiate'), 0o755);
const heldNix: Nix = { ...store.nix, bin: heldBin };

function isNamed(name: string): boolean {
  try {
    return readFileSync(path.join(temporaryRoots, name), 'utf8').includes('.drv');
  } catch {
    return false; // it has ended
  }
}

/** Begins as soon as Nix has named a derivation, which is the last before its root, and waits until Nix has ended. */
async function collectMeanwhile(): Promise<void> {
  for (let waited = 0; waited < 3000 && !readdirSync(temporaryRoots).some(isNamed); waited += 1)
    await pause(10);
  const held = { HOLD_AT: temporaryRoots, SAY_HELD: ROOTS_READ, HOLD_UNTIL: ENDED, LD_PRELOAD: library };
  const env = { ...store.nix.env, ...held };
  await execa(path.join(store.nix.bin, 'nix-store'), ['--gc'], { env, extendEnv: false });
}

mkdirSync(temporaryRoots, { recursive: true });

test('by itself Nix loses what it has just made a root of: the next test can fail', async () => {
  const link = at('lost');
  const expression = 'derivation { name = "lost"; system = "none"; builder = "none"; }';
  const words = ['--add-root', link, '--indirect', '-E', expression];
  const made = execa(path.join(heldBin, 'nix-instantiate'), words, { env: store.nix.env, extendEnv: false });
  await Promise.all([made, collectMeanwhile()]);
  for (const file of [ROOTS_READ, ENDED]) rmSync(file);
  assert.equal(existsSync(readlinkSync(link)), false);
});

// Kept as it is, or under another name where the collector was faster.
test('a text that is pinned then stays, for this collector and the next', async () => {
  const link = at('links/text');
  const pinning = startRootAdder(heldNix, link).pin({ name: 'text', content: 'kept', references: [] });
  const [pinned] = await Promise.all([pinning, collectMeanwhile()]);
  assert.deepEqual(pinned, { kind: 'pinned', storePath: readlinkSync(link) });
  store.run('nix-store', '--gc');
  assert.equal(readFileSync(link, 'utf8'), 'kept');
});

/** Nix, one of whose commands loses once the entry of the root that it made, as to a collector that found it gone. */
function losingNix(command: string, link: string): Nix {
  const bin = at(`losing-${command}-${path.basename(link)}`);
  mkdirSync(bin);
  for (const name of ['nix-instantiate', 'nix-store'])
    symlinkSync(path.join(store.nix.bin, name), path.join(bin, name));
  rmSync(path.join(bin, command));
  writeFileSync(
    path.join(bin, command),
    `#!/bin/sh
'${store.nix.bin}/${command}' "$@" || exit
[ -e '${bin}/lost' ] && exit
: > '${bin}/lost'
for entry in '${stateDir}'/gcroots/auto/*; do
  [ "$(readlink "$entry")" = '${link}' ] && rm "$entry"
done
exit 0
`,
  );
  chmodSync(path.join(bin, command), 0o755);
  return { ...store.nix, bin };
}

test('a root whose entry went while it was made is made once more', async () => {
  const link = at('links/unregistered');
  const nix = losingNix('nix-instantiate', link);
  assert.equal(isRegistered(nix, link), false);
  const pinned = await startRootAdder(nix, link).pin({ name: 'text', content: 'registered', references: [] });
  assert.ok(pinned.kind === 'pinned' && existsSync(path.join(nix.bin, 'lost')));
  assert.equal(isRegistered(nix, link), true);
  store.run('nix-store', '--gc');
  assert.equal(readFileSync(link, 'utf8'), 'registered');

  for (const [name, rootBy] of [
    ['kept', (by: Nix, again: string) => addKeptRoot(by, again, pinned.storePath)],
    ['realised', (by: Nix, again: string) => realise(by, [pinned.storePath], again, () => {})],
  ] as const) {
    const again = at(`links/${name}`);
    const by = losingNix('nix-store', again);
    assert.notEqual((await rootBy(by, again)).kind, 'refused');
    assert.ok(existsSync(path.join(by.bin, 'lost')));
    assert.equal(isRegistered(by, again), true, name);
  }
});

/** What listens in place of a collector. */
async function collectorThat(answers: (server: Server) => void): Promise<{ nix: Nix; server: Server }> {
  const state = at(`state-${Math.random()}`);
  mkdirSync(path.join(state, 'gc-socket'), { recursive: true });
  const server = createServer();
  answers(server);
  await new Promise<void>((resolve) => server.listen(path.join(state, 'gc-socket/socket'), resolve));
  return { nix: { ...store.nix, env: { ...store.nix.env, NIX_STATE_DIR: state } }, server };
}

const PATHS = ['/nix/store/a', '/nix/store/b'];

test('every path is a line, and each is answered before it goes on', async () => {
  let heard = '';
  const { nix, server } = await collectorThat((each) =>
    each.on('connection', (socket) =>
      socket.on('data', (data) => {
        heard += String(data);
        socket.write('1');
        setTimeout(() => socket.write('1'), 50);
      }),
    ),
  );
  assert.equal(await spareFromCollector(nix, PATHS), 'told');
  assert.equal(heard, '/nix/store/a\n/nix/store/b\n');
  server.close();
});

test('of a root that is set back the collector hears, of one that was not changed it does not', async () => {
  const heard: string[] = [];
  const { nix, server } = await collectorThat((each) =>
    each.on('connection', (socket) =>
      socket.on('data', (data) => {
        heard.push(String(data));
        socket.write('1');
      }),
    ),
  );
  const link = at('set-back');
  symlinkSync('/nix/store/b', link);
  for (let times = 0; times < 2; times += 1) await setRootBack(nix, link, '/nix/store/a');
  assert.deepEqual([readlinkSync(link), heard], ['/nix/store/a', ['/nix/store/a\n']]);
  server.close();
});

test('a collector that ends meanwhile is none: the next one finds the root', async () => {
  const { nix, server } = await collectorThat((each) => each.on('connection', (socket) => socket.destroy()));
  assert.equal(await spareFromCollector(nix, PATHS), 'none');
  server.close();
});

test('where no collector is running, and where none ever was, nobody is told', async () => {
  const { nix, server } = await collectorThat(() => {});
  await new Promise((resolve) => server.close(resolve));
  for (const each of [nix, store.nix, { ...nix, env: { ...nix.env, NIX_STATE_DIR: at('nowhere') } }])
    assert.equal(await spareFromCollector(each, PATHS), 'none');
});

test('a socket that nobody may connect to, and a path too long for one, are nobody', async () => {
  const { nix, server } = await collectorThat(() => {});
  const socket = path.join(String(nix.env['NIX_STATE_DIR']), 'gc-socket/socket');
  server.close();
  writeFileSync(socket, 'no socket');
  const long = { ...nix, env: { ...nix.env, NIX_STATE_DIR: `/${'x'.repeat(200)}` } };
  for (const each of [nix, long]) assert.equal(await spareFromCollector(each, PATHS), 'none');
});
