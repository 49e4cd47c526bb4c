// A checkout where the Node of the npm package does not start, as on NixOS: what `npm start` prepares all the same.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { scratchDirectory } from '../../store/compiled-library.ts';

const PROJECT = path.resolve(import.meta.dirname, '../../..');

/** What npm does with the packages: their scripts need `.bin/node`, which is there only where scripts run. */
const NPM = `#!/bin/sh
echo "npm $*" >>called
rm -rf node_modules
mkdir -p node_modules/.bin
case "$*" in
*--ignore-scripts*) ;;
*)
  cp pinned-node node_modules/.bin/node
  node_modules/.bin/node install.js || exit 1
  ;;
esac
: >node_modules/.package-lock.json
`;

/** `pinned`: the program that npm brings; `version`: of the Node on PATH. Gives what was called, in order. */
function prepare(pinned: string, version: string): { status: number | null; stderr: string; called: string } {
  const checkout = scratchDirectory();
  const at = (name: string) => path.join(checkout, name);
  for (const name of ['scripts', 'bin', 'src']) mkdirSync(at(name));
  copyFileSync(path.join(PROJECT, 'scripts/prepare.mjs'), at('scripts/prepare.mjs'));
  writeFileSync(at('package-lock.json'), '{}');
  writeFileSync(
    at('version.mjs'),
    `Object.defineProperty(process.versions, 'node', { value: '${version}' });`,
  );
  writeFileSync(
    at('scripts/build.ts'),
    `require('node:fs').appendFileSync('called', 'built by ' + process.execPath + '\\n');`,
  );
  for (const [name, text] of Object.entries({
    'bin/npm': NPM,
    'bin/cc': '#!/bin/sh\n',
    'pinned-node': pinned,
  })) {
    writeFileSync(at(name), text);
    chmodSync(at(name), 0o755);
  }
  const words = ['--import', at('version.mjs'), at('scripts/prepare.mjs')];
  const { status, stderr } = spawnSync(process.execPath, words, {
    encoding: 'utf8',
    env: { PATH: `${at('bin')}:/usr/bin:/bin`, npm_lifecycle_event: 'prestart' },
  });
  const called = existsSync(at('called')) ? readFileSync(at('called'), 'utf8') : '';
  return { status, stderr, called: called.replaceAll(checkout, '') };
}

const CI = 'npm ci --no-audit --no-fund';
const FOREIGN = '#!/no/such/interpreter\n';

test('the pinned Node builds where it starts', () => {
  const { status, stderr, called } = prepare(
    '#!/bin/sh\ncase $1 in --version) echo v24 ;; scripts*) echo "built by the pinned one" >>called ;; esac\n',
    '20.1.0',
  );
  assert.equal(status, 0, stderr);
  assert.equal(called, `${CI}\nbuilt by the pinned one\n`);
});

test('where it does not, the packages come without scripts, and Node 24 on PATH builds', () => {
  const { status, stderr, called } = prepare(FOREIGN, '24.0.0');
  assert.equal(status, 0, stderr);
  assert.equal(called, `${CI}\n${CI} --ignore-scripts\nbuilt by ${process.execPath}\n`);
});

test('an older Node on PATH cannot, and what is needed is said', () => {
  const { status, stderr, called } = prepare(FOREIGN, '22.1.0');
  assert.equal(status, 1);
  assert.match(
    stderr,
    /^prepare: if the Node that it brings does not start here: put Node 24 or newer on PATH, this is v\d/m,
  );
  assert.equal(called, `${CI}\n`);
});
