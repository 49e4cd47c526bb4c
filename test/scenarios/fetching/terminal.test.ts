// Somebody sits at a terminal → is asked above the limit, sees how far it is, and ends it with Ctrl-C.
import assert from 'node:assert/strict';
import { readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { after, beforeEach, test } from 'node:test';
import { ensureRig } from '../../rig/rig.ts';
import { type Mishap, serveDirectory } from '../../rig/web-server.ts';
import { openTerminal, type Terminal } from '../choosing/terminal.ts';
import { launcher } from '../tool.ts';
import { fetching, manage, SIDECAR, startOver, withEnv, words } from '../travelling/machines.ts';
import { openFetching } from './indexed-cache.ts';

const rig = await ensureRig('full');
const { libraries, cache, bare } = await openFetching(rig);
let terminal: Terminal | undefined;
after(() => terminal?.close());

beforeEach(async () => {
  await startOver(bare);
});

function startWith(limit: string, url = cache.url): Terminal {
  terminal?.close();
  const { env } = fetching([url], [cache.key.publicKey]);
  const more = { NIX_RUN_FOREIGN_INDEX: cache.index, NIX_RUN_FOREIGN_FETCH_LIMIT: limit, TERM: 'screen' };
  terminal = openTerminal(
    bare.wordsOf({ argv: [launcher, bare.program, ...words], env: { ...env, ...more } }),
  );
  return terminal;
}

/** A Nix that was interrupted leaves a part of a path, which is not valid and goes with the next collection. */
async function assertNotThere(): Promise<void> {
  const argv = ['nix-store', '--check-validity', '--print-invalid', ...libraries] as const;
  const { stdout } = await bare.run({ argv: [...argv] });
  assert.notEqual(stdout, '');
}

const QUESTION = /jq needs \d packages? that (is|are) not in the store: .* unpacked\. Fetch them\?/;

test('above the limit one question; Enter fetches, and the program runs', async () => {
  const { until, press } = startWith('0');
  await until(QUESTION);
  press('Enter');
  const screen = await until(/\[status 0\]/);
  assert.match(screen, /fetched libjq1/);
  assert.match(screen, /^42$/m);
});

test('no is no: a line of cause, one of remedy', async () => {
  const { until, press, type } = startWith('0');
  await until(QUESTION);
  type('n');
  press('Enter');
  const screen = (await until(/\[status 126\]/)).replaceAll('\n', '');
  assert.match(screen, /what \S*jq lacks was not to be fetched/);
  assert.match(screen, /allow it: nix-foreign resolve --fetch/);
  await assertNotThere();
});

test('who says no to a fingerprint is not asked again for what the index has', async () => {
  const settings = withEnv(fetching([cache.url], [cache.key.publicKey]), {
    NIX_RUN_FOREIGN_INDEX: cache.index,
  });
  await manage(bare, ['resolve', '--fetch', bare.program], settings);
  await manage(bare, ['fingerprint', 'export', bare.program]);
  await startOver(bare);
  const { until, press, type } = startWith('0');
  await until(QUESTION);
  type('n');
  press('Enter');
  const screen = (await until(/\[status 126\]/)).replaceAll('\n', '');
  rmSync(path.join(bare.homeDir, SIDECAR));
  assert.equal(screen.match(/Fetch them\?/g)?.length, 1, screen);
  assert.match(screen, /what \S*jq lacks was not to be fetched.*; the store is searched instead/);
  await assertNotThere();
});

test('Ctrl-C at the question ends it, and the program is not started', async () => {
  const { until, press } = startWith('0');
  await until(QUESTION);
  press('C-c');
  assert.doesNotMatch(await until(/\[status 130\]/), /^42$/m);
  await assertNotThere();
});

/** Sends archives so slowly that they take half a minute. */
const slowly: Mishap = (request, response) => {
  if (!request.url?.includes('.nar') || request.url.includes('narinfo')) return false;
  const bytes = readFileSync(path.join(cache.directory, request.url));
  response.writeHead(200, { 'content-length': bytes.length });
  let at = 0;
  const timer = setInterval(() => {
    response.write(bytes.subarray(at, at + 4096));
    at += 4096;
    if (at >= bytes.length) response.end();
    if (at >= bytes.length) clearInterval(timer);
  }, 200);
  response.on('close', () => clearInterval(timer));
  return true;
};

test('the progress is shown, and Ctrl-C ends the fetch', async () => {
  const server = await serveDirectory(cache.directory, slowly);
  const { until, press } = startWith('100', server.url);
  await until(/jq: fetching libjq\.so\.1.* \(\d packages?\): [\d.]+ \S+ of [\d.]+ [KM]iB/);
  press('C-c');
  assert.doesNotMatch(await until(/\[status 130\]/), /^42$/m);
  await server.close();
  await assertNotThere();
  const { stdout } = await bare.run({ argv: ['nix-store', '--gc', '--print-roots'] });
  assert.doesNotMatch(stdout, /libjq1/, 'nothing holds a part');
});
