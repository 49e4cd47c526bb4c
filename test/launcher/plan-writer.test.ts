// What src/launch writes is what the launcher takes for valid and does: every part of a plan, written there, acted on here.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { identityOf } from '../../src/host/file-identity.ts';
import { type LaunchPlan, serialisePlan, planKey as writtenKey } from '../../src/plan/plan-format.ts';
import { compile, openWorkshop, run } from './launcher-fixture.ts';
import { identity, planKey, putPlan } from './plan-fixture.ts';

const workshop = await openWorkshop();
const report = compile(workshop, 'report-state');
const output = path.join(workshop.directory, 'report');

const full: LaunchPlan = {
  program: report,
  identity: identityOf(report),
  strategy: 'loader',
  root: '/nowhere/root',
  sha256: '0'.repeat(64),
  files: ['/bin/sh', report],
  watched: [{ identity: identityOf('/etc/passwd'), path: '/etc/passwd' }],
  absent: ['/nowhere/at all'],
  directories: ['/usr'],
  execute: report,
  environment: [['ADDED', 'ä = b']],
  argv: [
    { kind: 'literal', text: 'ld.so' },
    { kind: 'literal', text: output },
    { kind: 'literal', text: '0' },
    { kind: 'argv0' },
    { kind: 'library-path', list: '/farm:/more' },
    { kind: 'program' },
  ],
};

test('a full plan', async () => {
  putPlan(workshop.place, report, serialisePlan(full));
  const { code, stderr } = await run(workshop, [report, 'argument']);
  assert.deepEqual([code, stderr], [0, '']);
  const text = readFileSync(output, 'utf8');
  const argv = text.split('\n').flatMap((line) => /^argv \d+ (.*)$/.exec(line)?.[1] ?? []);
  assert.deepEqual(argv, ['ld.so', output, '0', report, '/farm:/more', report, 'argument']);
  assert.match(text, /^env 0 ADDED=ä = b$/m);
});

const broken: Record<string, Partial<LaunchPlan>> = {
  identity: { identity: identityOf('/bin/sh') },
  program: { program: '/bin/sh' },
  files: { files: ['/bin/sh', '/nowhere'] },
  watched: { watched: [{ identity: identityOf('/bin/sh'), path: '/etc/passwd' }] },
  absent: { absent: ['/bin/sh'] },
  directories: { directories: ['/tmp'] },
};

for (const [name, part] of Object.entries(broken))
  test(`the same plan is not valid when its ${name} does not hold`, async () => {
    putPlan(workshop.place, report, serialisePlan({ ...full, ...part }));
    assert.equal((await run(workshop, [report])).code, 125);
  });

test('keys and identities are the same on both sides', () => {
  for (const name of ['/', '/bin/sh', '/ä b/\u{1f600}', `/${'x'.repeat(4000)}`])
    assert.equal(writtenKey(name), planKey(name));
  for (const file of ['/etc/passwd', '/tmp', report]) assert.equal(identityOf(file), identity(file));
});
