// Every hostile document of the corpus, put beside a program: it ends a strict start in its own line, and no other start.
import { test } from 'node:test';
import { hostileTexts } from '../../fingerprint/hostile-documents.ts';
import { ensureRig } from '../../rig/rig.ts';
import { assertRefused } from '../expect-failure.ts';
import {
  assertRan,
  exchangeForTests,
  forget,
  openMachine,
  putFile,
  SIDECAR,
  withEnv,
  words,
} from './machines.ts';

const rig = await ensureRig('full');
const machine = await openMachine(rig, exchangeForTests());
const line = [machine.program, ...words];

/** The line of the unit tests is the whole cause; here it stands behind what it is about. */
function saidAtStart(cause: RegExp): string {
  // Half a character is none in UTF-8.
  const inner = cause.source.toWellFormed().replace(/^\^/, '').replace(/\$$/, '');
  return `^nix-run-foreign: \\S+/jq: the fingerprint of \\S+/jq\\.nix-fingerprint\\.json is not used: ${inner}`;
}

/** What comes after the refusal is the same for all. */
const STARTED = 4;

for (const [index, [what, { text, line: cause }]] of Object.entries(hostileTexts).entries()) {
  test(what, async () => {
    forget(machine);
    putFile(machine, SIDECAR, text);
    const said = saidAtStart(cause);
    const refused = await machine.start(line, withEnv({}, { NIX_RUN_FOREIGN_STRICT: '1' }));
    assertRefused(refused, { status: 126, cause: new RegExp(said) });
    if (index % STARTED !== 0) return;
    assertRan(await machine.start(line), [new RegExp(`${said}.*; the store is searched instead$`)]);
  });
}
