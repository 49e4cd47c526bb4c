// Real programs of the four releases without the library they were built with, beside another release's: what is said of that.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ensureRig } from '../../rig/rig.ts';
import { sampled } from '../../sample.ts';
import { assertRefused } from '../expect-failure.ts';
import { assertStarts } from '../expect-start.ts';
import { foreign } from '../foreign-files.ts';
import { openToolRoot } from '../tool.ts';
import { withoutObjects } from './needy-programs.ts';

const rig = await ensureRig('full');

interface Case {
  readonly suite: string;
  readonly program: string;
  readonly gone: RegExp;
  readonly cause: RegExp;
  readonly byHand: 'possible' | 'impossible';
}

const cases: readonly Case[] = [
  {
    suite: 'sid',
    program: 'xmllint',
    gone: /^libxml2-16-/,
    cause:
      /xmllint needs libxml2\.so\.16; .*nearest to libxml2\.so\.16 is libxml2\.so\.2 \(libxml2-2\.\S+\), which lacks \d+ of the \d+ symbols needed \(\w+, \w+, \w+ and \d+ more\)$/,
    byHand: 'possible',
  },
  {
    suite: 'bullseye',
    program: 'xmllint',
    gone: /^libxml2-2\./,
    cause:
      /xmllint needs libxml2\.so\.2; .*nearest to libxml2\.so\.2 is libxml2\.so\.16 \(libxml2-16-\S+\), which lacks .* and the versions LIBXML2_2\.4\.30, /,
    byHand: 'possible',
  },
  {
    suite: 'bullseye',
    program: 'nodejs',
    gone: /^libicu67-/,
    cause:
      /libnode\.so\.72 needs libicui18n\.so\.67; .*also missing: libicuuc\.so\.67 \(for libnode\.so\.72\); the nearest to libicui18n\.so\.67 is libicui18n\.so\.72 \(libicu7\S+\), which lacks (\d+) of the \1 symbols needed \(\w+_67\w*, /,
    byHand: 'possible',
  },
  {
    suite: 'bookworm',
    program: 'openssl',
    gone: /^libssl3/,
    cause:
      /nearest to libssl\.so\.3 is libssl\.so\.1\.1 \(libssl1\.1-\S+\), which lacks (\d+) of the \1 symbols needed \(\w+@OPENSSL_3\.0\.0, .* and the version OPENSSL_3\.0\.0$/,
    byHand: 'impossible',
  },
  {
    suite: 'bullseye',
    program: 'socat',
    gone: /^libssl1\.1-/,
    cause: /nearest to libssl\.so\.1\.1 is libssl\.so\.3 .* and the version OPENSSL_1_1_0$/,
    byHand: 'impossible',
  },
  {
    suite: 'bookworm',
    program: 'vim',
    gone: /^libtinfo6-/,
    cause: /nearest to libtinfo\.so\.6 is libtinfo\.so\.5 .* and the version NCURSES6_TINFO_5\.0\.19991023$/,
    byHand: 'impossible',
  },
  {
    // Of p11-kit, which lftp reaches through GnuTLS, bullseye's build needs libffi 7: it would do otherwise.
    suite: 'bookworm',
    program: 'lftp',
    gone: /^(libffi8-|libp11-kit0-0\.23)/,
    cause:
      /libp11-kit\.so\.0 needs libffi\.so\.8; .*nearest to libffi\.so\.8 is libffi\.so\.7 .*\(ffi_closure_alloc@LIBFFI_CLOSURE_8\.0, .* and the versions LIBFFI_BASE_8\.0, LIBFFI_CLOSURE_8\.0$/,
    byHand: 'impossible',
  },
  {
    suite: 'bookworm',
    program: 'psql',
    gone: /^libreadline8/,
    cause: /psql needs libreadline\.so\.8; the store has no library of that name$/,
    byHand: 'impossible',
  },
];

for (const { suite, program: name, gone, cause, byHand } of sampled(cases, 2)) {
  const root = await openToolRoot(rig);
  test(`${suite}'s ${name} without ${gone.source}`, async () => {
    const program = foreign(rig, suite, name);
    await assertStarts(root, program);
    assert.ok(withoutObjects(root, gone) > 0);
    const refused = await root.start([program.path, ...program.args]);
    assertRefused(refused, { status: 126, cause });
    if (byHand === 'possible') assert.match(refused.stderr, /can be chosen by hand: nix-foreign choose/);
    else assert.doesNotMatch(refused.stderr, /by hand/);
  });
}

const withoutNewFfi = await openToolRoot(rig);

test("bullseye's p11-kit takes the place of a newer one that lacks its libffi", async () => {
  const program = foreign(rig, 'bullseye', 'lftp');
  assert.ok(withoutObjects(withoutNewFfi, /^libffi8-/) >= 3);
  const outcome = await withoutNewFfi.start([program.path, ...program.args]);
  assert.match(outcome.stdout, program.expect);
  assert.doesNotMatch(outcome.stderr, /is served by/);
});
