// A library that another start fetches while Nix is asked about it, and that a collector takes before the loader is
// asked: the fingerprint is tried once more.
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { ensureRig } from '../../rig/rig.ts';
import { homeInRoot } from '../../rig/root.ts';
import { onHost } from '../foreign-files.ts';
import {
  assertRan,
  exchangeForTests,
  fetching,
  openMachine,
  putFile,
  SIDECAR,
  startOver,
  withEnv,
  words,
} from './machines.ts';
import { publishJq } from './publish-jq.ts';

const rig = await ensureRig('full');
const exchange = exchangeForTests();
const { cache, cacheKey, libraries, sidecar } = await publishJq(await openMachine(rig, exchange), exchange);
const settings = fetching([cache], [cacheKey.publicKey]);
const wrappers = path.join(homeInRoot, 'wrappers');

test('it is valid when Nix is asked, and neither there before nor afterwards', async () => {
  const machine = await openMachine(rig, exchange);
  const [victim = assert.fail()] = libraries.filter((each) => each.includes('libjq'));
  await startOver(
    machine,
    libraries.filter((each) => each !== victim),
  );
  putFile(machine, SIDECAR, sidecar);
  const directory = onHost(machine, wrappers);
  mkdirSync(directory);
  const wrap = (name: string, before: string, after: string): void => {
    const log = `echo "${name} $*" >> ~/log`;
    const lines = ['export PATH=/nix/var/nix/profiles/default/bin', log, before, `${name} "$@"`, 'status=$?'];
    writeFileSync(
      path.join(directory, name),
      [`#!${rig.bash}`, ...lines, after, 'exit $status', ''].join('\n'),
    );
    chmodSync(path.join(directory, name), 0o755);
  };
  const once = (name: string, what: string): string => `[ -e ~/${name} ] || { : > ~/${name}; ${what}; }`;
  const comes = `nix-store --realise ${victim} > /dev/null 2>&1; cp -a ${victim} ~/away`;
  // A collector takes the files one by one, and what is made anew is another directory.
  const goes = `chmod -R u+w ${victim}; rm -r ${victim}; cp -r ~/away ${victim}; chmod -R u+w ${victim}; for file in ${victim}/lib/*; do : > $file; done; : > ~/gone`;
  const isBack = `until [ -e ~/gone ]; do sleep 0.1; done; sleep 1; rm -r ${victim}; cp -a ~/away ${victim}`;
  wrap(
    'nix-store',
    `[[ $* != *--check-validity* ]] || ${once('came', comes)}`,
    `[[ $* != *--dump-db* ]] || ${once('went', goes)}`,
  );
  wrap('nix-instantiate', once('back', isBack), ':');
  const outcome = await machine.start([machine.program, ...words], withEnv(settings, { PATH: wrappers }));
  assertRan(outcome);
  const log = readFileSync(path.join(machine.homeDir, 'log'), 'utf8');
  assert.match(log, /--check-validity.*\n.*--dump-db.*\n(?:nix-instantiate.*\n)?nix-store --realise/);
});
