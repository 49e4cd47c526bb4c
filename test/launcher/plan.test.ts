// Every tag of a plan, and every form of one that is not valid.
import assert from 'node:assert/strict';
import { copyFileSync, readFileSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { compile, openWorkshop, run } from './launcher-fixture.ts';
import { identity, planText, putPlan, recordsText } from './plan-fixture.ts';

const workshop = await openWorkshop();
const report = compile(workshop, 'report-state');
const copy = path.join(workshop.directory, 'copy');
copyFileSync(report, copy);
const real = realpathSync(report);
const output = path.join(workshop.directory, 'report');
const header = 'nix-run-foreign plan 2';
const required = [`p${real}`, `i${identity(report)}`, 'sdirect'];

const valid: Record<string, string> = {
  'the required records': planText(report),
  information: planText(report, ['r/nowhere/root', `h${'0'.repeat(64)}`]),
  'without a strategy': recordsText([header, ...required.slice(0, 2), '.']),
  'a program to execute': planText(report, [`x${copy}`]),
  'what must hold': planText(report, [
    'f/bin/sh',
    `w${identity('/bin/sh')} /bin/sh`,
    'a/nowhere/at/all',
    'a/etc/passwd/below-a-file',
    'd/usr',
  ]),
  'a loader and a library path': planText(report, ['l/nowhere/ld.so', 'b/nowhere:/else']),
  'an audit module': planText(report, ['m/nowhere/module.so']),
  'what must hold outside of a view': planText(report, [
    `u${identity('/bin/sh')} /bin/sh`,
    'e/nowhere/at/all',
    't/bin/sh',
  ]),
  'other order': recordsText([header, 'f/bin/sh', ...required.toReversed(), '.']),
  'exactly 1 MiB': padded(1 << 20),
};

/** A plan of exactly `size` bytes. */
function padded(size: number): string {
  const rest = size - planText(report, ['']).length;
  return planText(report, [`h${'0'.repeat(rest - 1)}`]);
}

for (const [name, text] of Object.entries(valid))
  test(`valid: ${name}`, async () => {
    putPlan(workshop.place, report, text);
    const { code, stderr } = await run(workshop, [report, output]);
    assert.deepEqual([code, stderr], [0, '']);
  });

test('x is what is executed', async () => {
  putPlan(workshop.place, report, planText(report, [`x${copy}`]));
  await run(workshop, [report, output]);
  assert.match(readFileSync(output, 'utf8'), new RegExp(`^exe ${copy}$`, 'm'));
});

const invalid: Record<string, readonly [why: string, text: string | Buffer]> = {
  'no plan at all': ['empty', ''],
  'another format': ['format', recordsText(['nix-run-foreign plan 3', ...required, '.'])],
  'a longer header': ['format', recordsText([`${header}1`, ...required, '.'])],
  'only a header': ['no end', recordsText([header])],
  'an end and nothing else': ['format', recordsText(['.', '.'])],
  'cut in a record': ['no end', planText(report, ['f/bin/sh']).slice(0, -6)],
  'cut before the end': ['no end', planText(report).slice(0, -2)],
  'cut in the end': ['no end', planText(report).slice(0, -1)],
  'a record that ends in a dot, cut': ['no end', planText(report, ['f/bin/.']).slice(0, -3)],
  'something after the end': ['follows', `${planText(report)}f/bin/sh\0.\0`],
  'an end with a value': ['tag', planText(report, ['.x'])],
  'an unknown tag': ['tag', planText(report, ['Zsomething'])],
  'an empty record': ['tag', planText(report, [''])],
  'a newline instead of NUL': [
    'format',
    planText(report)
      .replaceAll('\0', '\n')
      .replace(/\n\.\n$/, '\0.\0'),
  ],
  'no path': ['missing', recordsText([header, required[1] ?? '', '.'])],
  'no identity': ['missing', recordsText([header, required[0] ?? '', '.'])],
  'two paths': ['twice', planText(report, [`p${real}`])],
  'two identities': ['twice', planText(report, [`i${identity(report)}`])],
  'two programs to execute': ['twice', planText(report, [`x${copy}`, `x${copy}`])],
  'a relative program to execute': ['absolute', planText(report, ['xcopy'])],
  'another path': [
    'another path',
    recordsText([header, '', ...required, '.']).replace(`\0\0p${real}`, `\0p${copy}`),
  ],
  'another identity': ['changed', planText(report).replace(identity(report), identity(copy))],
  'part of the identity': [
    'changed',
    planText(report).replace(identity(report), identity(report).slice(0, -1)),
  ],
  'an edit without =': ['NAME=VALUE', planText(report, ['+NAME'])],
  'an edit without a name': ['NAME=VALUE', planText(report, ['+=value'])],
  'two loaders': ['twice', planText(report, ['l/a', 'l/b'])],
  'a relative loader': ['absolute', planText(report, ['lld.so'])],
  'two library paths': ['twice', planText(report, ['b/a', 'b/b'])],
  'a relative library path': ['absolute', planText(report, ['ba:/b'])],
  'two audit modules': ['twice', planText(report, ['m/a', 'm/b'])],
  'a relative audit module': ['absolute', planText(report, ['mmodule.so'])],
  'an entry of a view without a blank': ['blank', planText(report, ['V/bin'])],
  'a relative entry of a view': ['blank', planText(report, ['Vbin /nowhere'])],
  'an entry of a view with a relative source': ['blank', planText(report, ['V/bin nowhere'])],
  'another file outside of a view': ['changed', planText(report, [`u${identity(copy)} /bin/sh`])],
  'a file that should not be outside of a view': ['absent', planText(report, ['e/bin/sh'])],
  'a rule that is gone': ['gone', planText(report, ['t/nowhere/rule'])],
  'a list without =': ['NAME', planText(report, ['jNAME'])],
  'a list without a name': ['NAME', planText(report, ['j=/x'])],
  'a name of the launcher with =': ['NAME', planText(report, ['NNAME=value'])],
  'no name of the launcher': ['NAME', planText(report, ['N'])],
  'a removal, which earlier formats had': ['unknown tag', planText(report, ['-NAME'])],
  'a value for argv[0]': ['empty', planText(report, ['0x'])],
  'a value for the path': ['empty', planText(report, ['Px'])],
  'over 1 MiB': ['1 MiB', padded((1 << 20) + 1)],
};

for (const [name, [why, text]] of Object.entries(invalid))
  test(`not valid: ${name}`, async () => {
    putPlan(workshop.place, report, text);
    const env = { ...workshop.environment, NIX_RUN_FOREIGN_DEBUG: '1' };
    const { code, stderr } = await run(workshop, [report, output], { env });
    assert.equal(code, 125);
    assert.match(
      stderr,
      new RegExp(`^nix-run-foreign: debug: .*${why}.*\n(.*debug: .*\n)?resolver called\n`),
    );
  });

test('any cut or damaged byte leaves a plan valid whole or not at all', async () => {
  const whole = Buffer.from(planText(report, ['f/bin/sh', '+A=b', '-B', '0']));
  for (let at = 0; at < whole.length; at += 7) {
    putPlan(workshop.place, report, whole.subarray(0, at));
    assert.equal((await run(workshop, [report, output])).code, 125, `cut at ${at}`);
    const damaged = Buffer.from(whole);
    damaged[at] = 0x01;
    putPlan(workshop.place, report, damaged);
    const { code, signal } = await run(workshop, [report, output]);
    assert.ok(signal === null && [0, 125].includes(code ?? -1), `damaged at ${at}: ${code} ${signal}`);
  }
});
