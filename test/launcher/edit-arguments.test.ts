// The argv that the program gets: the caller's, or the plan's elements in front of it.
import assert from 'node:assert/strict';
import { readFileSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { compile, openWorkshop, run } from './launcher-fixture.ts';
import { planText, putPlan } from './plan-fixture.ts';

const workshop = await openWorkshop();
const report = compile(workshop, 'report-state');
const output = path.join(workshop.directory, 'report');
const link = path.join(workshop.directory, 'link');
symlinkSync('report-state', link);

type Started = { readonly argv: string[]; readonly execfn: string | undefined };

/** argv of the program, started as `link` by a plan of these records; argv[1] must be the report's path. */
async function started(records: readonly string[], ofUser?: string): Promise<Started> {
  putPlan(workshop.place, report, planText(report, records));
  const env = ofUser === undefined ? {} : { LD_LIBRARY_PATH: ofUser };
  const options = { env: { ...workshop.environment, ...env } };
  const { code, stderr } = await run(workshop, [link, output, '0', '', 'a b', '--'], options);
  assert.deepEqual([code, stderr], [0, '']);
  const text = readFileSync(output, 'utf8');
  const argv = text.split('\n').flatMap((line) => /^argv \d+ (.*)$/.exec(line)?.[1] ?? []);
  return { argv, execfn: /^execfn (.*)$/m.exec(text)?.[1] };
}

const rest = [output, '0', '', 'a b', '--'];

test('without edits argv and the path of the execve are as typed', async () => {
  assert.deepEqual(await started([]), { argv: [link, ...rest], execfn: link });
});

test('only argv[0]', async () => {
  assert.deepEqual((await started(['0'])).argv, [link, ...rest]);
  assert.deepEqual((await started(['P'])).argv, [report, ...rest]);
  assert.deepEqual((await started(['F'])).argv, [link, ...rest]);
  assert.deepEqual((await started(['Aname'])).argv, ['name', ...rest]);
});

test('the elements of a loader plan', async () => {
  const records = [
    `x${report}`,
    'Ald.so',
    `A${output}`,
    'A0',
    'A--argv0',
    '0',
    'A--library-path',
    'L/farm:/more',
    'P',
  ];
  const { argv, execfn } = await started(records);
  const expected = ['ld.so', output, '0', '--argv0', link, '--library-path', '/farm:/more', report, ...rest];
  assert.deepEqual([argv, execfn], [expected, report]);
});

for (const [ofUser, list] of [
  ['/users', '/users:/farm'],
  // An empty element is the working directory, for ld.so too.
  ['/users:', '/users::/farm'],
  [':', '::/farm'],
  ['/a;/b', '/a;/b:/farm'],
  ['', '/farm'],
  [undefined, '/farm'],
] as const)
  test(`LD_LIBRARY_PATH ${ofUser === undefined ? 'unset' : `'${ofUser}'`} gives ${list}`, async () => {
    const { argv } = await started(['Aname', `A${output}`, 'A0', 'L/farm'], ofUser);
    assert.deepEqual(argv, ['name', output, '0', list, ...rest]);
  });

test('the value of LD_LIBRARY_PATH is used also where the plan sets another', async () => {
  const { argv } = await started(['Aname', `A${output}`, 'A0', 'L/farm', '+LD_LIBRARY_PATH=/plan'], '/users');
  assert.deepEqual(argv.slice(0, 4), ['name', output, '0', '/users:/farm']);
  assert.match(readFileSync(output, 'utf8'), /LD_LIBRARY_PATH=\/plan/);
});

test('an empty literal is an element', async () => {
  assert.deepEqual((await started(['Aname', `A${output}`, 'A0', 'A'])).argv, [
    'name',
    output,
    '0',
    '',
    ...rest,
  ]);
});

test('a pair is left out whole, or stays', async () => {
  const own = ['Aname', `A${output}`, 'A0', 'A'];
  const beside = async (records: readonly string[]) => {
    putPlan(workshop.place, report, planText(report, ['m/m', ...records]));
    const options = { env: { ...workshop.environment, LD_PRELOAD: 'libsearched.so' } };
    await run(workshop, [report, ...rest], options);
    const text = readFileSync(output, 'utf8');
    return text.split('\n').flatMap((line) => /^argv \d+ (.*)$/.exec(line)?.[1] ?? []);
  };
  const expected = ['name', output, '0', ''];
  assert.deepEqual(await beside([...own, 'A--audit', 'A/m', 'P']), [...expected, report, ...rest]);
  for (const [more, made] of [
    [['A--audit'], ['--audit']],
    [
      ['A--audit', 'P'],
      ['--audit', report],
    ],
  ] as const)
    assert.deepEqual(await beside([...own, ...more]), [...expected, ...made, ...rest]);
});

test('thousands of arguments', async () => {
  putPlan(workshop.place, report, planText(report, ['0']));
  const many = Array.from({ length: 20_000 }, (_, index) => `argument ${index}`);
  assert.equal((await run(workshop, [report, output, '0', ...many])).code, 0);
  const lines = readFileSync(output, 'utf8').split('\n');
  const argv = lines.flatMap((line) => /^argv \d+ (.*)$/.exec(line)?.[1] ?? []);
  assert.deepEqual(argv, [report, output, '0', ...many]);
});
