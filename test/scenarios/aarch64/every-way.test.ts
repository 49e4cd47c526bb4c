// An aarch64 machine with only /nix, emulated: the package is installed, and foreign programs start by every way.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { ensureRig } from '../../rig/rig.ts';
import type { Outcome } from '../../rig/root.ts';
import { onOwnBinfmt } from '../binfmt/own-instance.ts';
import { foreign, onHost } from '../foreign-files.ts';
import { blocksOf } from '../install/readme.ts';
import { INTERPRETER, installed, openArmRoot } from './arm64-machine.ts';

const rig = await ensureRig('arm64');
const root = await openArmRoot(rig);
const jq = foreign(rig, 'bookworm', 'jq').path;
const sqlite = foreign(rig, 'bookworm', 'sqlite3').path;
const opens = root.compileFor(
  'opens/opens',
  readFileSync(path.join(import.meta.dirname, '../run-time/programs/open-names.c'), 'utf8'),
);

/** What a session prints between its lines `= NAME`. */
function partsOf({ status, stdout, stderr }: Outcome): Readonly<Record<string, string>> {
  assert.equal(status, 0, stdout + stderr);
  const parts = stdout.split(/^= (.*)\n/m);
  return Object.fromEntries(parts.flatMap((name, at) => (at % 2 === 1 ? [[name, parts[at + 1] ?? '']] : [])));
}

/** `nothing is resolved`: a launcher whose resolver cannot be started follows a plan that holds, and no other. */
const hit = 'NIX_RUN_FOREIGN_RESOLVER=/nowhere/nix-foreign';

test('installed as the README says; started with the prefix, twice', onOwnBinfmt, async () => {
  const [, install] = blocksOf('With npm, on any Linux');
  const lines = install?.text.split('\n').filter((line) => !line.startsWith('npm ')) ?? [];
  assert.ok(lines.length >= 3);
  const parts = partsOf(
    await root.session(`
mkdir -p ~/opt/vendor/bin
echo "= machine"; uname -m
echo "= bare"; ${jq} -n 6*7 2>&1; echo $?
echo "= installed"; ${lines.join(' &&\n')} || exit 1
echo "= first"; nix-run-foreign ${jq} -n 6*7 2>&1
echo "= second"; ${hit} nix-run-foreign ${jq} -n 6*7 2>&1
`),
  );
  assert.equal(parts['machine'], 'aarch64\n');
  assert.match(parts['bare'] ?? '', /^[1-9]\d*\n$/m);
  assert.doesNotMatch(parts['bare'] ?? '', /^42$/m);
  assert.match(parts['installed'] ?? '', /^nix-run-foreign \d/);
  assert.deepEqual([parts['first'], parts['second']], ['42\n', '42\n']);
  const command = readFileSync(onHost(root, installed.launcher));
  assert.deepEqual([...command.subarray(0, 4), command.readUInt16LE(18)], [0x7f, 0x45, 0x4c, 0x46, 183]);
});

test(
  'a library that a program opens by a composed name is found while it waits, and is in the set then',
  onOwnBinfmt,
  async () => {
    const parts = partsOf(
      await root.session(`
echo "= found"; nix-run-foreign ${opens} libz.so.1 2>&1
echo "= learned"; NIX_RUN_FOREIGN_LIBRARY_ORDER= ${hit} nix-run-foreign ${opens} libz.so.1 2>&1
`),
    );
    const opened = 'libz.so.1 opened\nLD_AUDIT=unset LD_LIBRARY_PATH=unset\n';
    assert.deepEqual([parts['found'], parts['learned']], [opened, opened]);
  },
);

test(
  'the launcher as interpreter: by their own names, with any environment, libraries on demand too',
  onOwnBinfmt,
  async () => {
    const parts = partsOf(
      await root.session(`
ln -s ${installed.launcher} ${INTERPRETER}
echo "= first"; ${jq} -n 6*7 2>&1
echo "= second"; ${hit} ${jq} -n 6*7 2>&1
echo "= bare"; env -i ${jq} -n 6*7 2>&1
# A search ends after 20 seconds, which an emulated Node may need beside other work.
echo "= opened"; for try in 1 2 3; do said=$(${opens} libonig.so.5 2>&1) && break; done; echo "$said"
`),
    );
    assert.deepEqual([parts['first'], parts['second'], parts['bare']], ['42\n', '42\n', '42\n']);
    assert.equal(parts['opened'], 'libonig.so.5 opened\nLD_AUDIT=unset LD_LIBRARY_PATH=unset\n');
  },
);

test('a view: whatever a program starts, at any depth', onOwnBinfmt, async () => {
  const tree = `${jq} -n 6*7; /bin/bash -c "${sqlite} :memory: \\"select 6*7;\\""`;
  const parts = partsOf(
    await root.session(`
echo "= first"; nix-run-foreign $BASH -c '${tree}' 2>&1
echo "= second"; ${hit} nix-run-foreign $BASH -c '${tree}' 2>&1
echo "= outside"; [ -e ${INTERPRETER} ] || echo as before
`),
  );
  assert.deepEqual([parts['first'], parts['second']], ['42\n42\n', '42\n42\n']);
  assert.equal(parts['outside'], 'as before\n');
});
