// Plans to bytes and back, with seeded random plans and with damaged bytes.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type Argument,
  type LaunchPlan,
  parsePlan,
  STRATEGIES,
  serialisePlan,
} from '../../src/plan/plan-format.ts';
import { seededRandom } from '../elf/seeded-random.ts';

function randomPlan(seed: number): LaunchPlan {
  const random = seededRandom(seed * 2_654_435_761);
  const pieces = ['a', 'Z', '/', ' ', '=', ':', '\n', 'é', '日', '.', '-', '$', '"', "'", '\u{1f600}', '0'];
  const text = (): string =>
    Array.from({ length: random(12) }, () => pieces[random(pieces.length)] ?? '').join('');
  const file = (): string => `/${text()}`;
  const many = <T>(make: () => T): T[] => Array.from({ length: random(4) }, make);
  const argument = (): Argument => {
    const kinds: Argument[] = [
      { kind: 'literal', text: text() },
      { kind: 'argv0' },
      { kind: 'program' },
      { kind: 'found' },
      { kind: 'library-path', list: text() },
    ];
    return kinds[random(5)] ?? { kind: 'argv0' };
  };
  return {
    program: file(),
    identity: `${random(9)}:${random(99)}:1:2.3:4.5`,
    strategy: STRATEGIES[random(STRATEGIES.length)] ?? 'direct',
    ...(random(2) ? { root: file() } : {}),
    ...(random(2) ? { sha256: 'ab'.repeat(32) } : {}),
    directories: many(file),
    files: many(file),
    watched: many(() => ({ identity: `1:2:3:4.5:-6.7`, path: file() })),
    ...(random(2) ? { interpreterPath: { identity: `1:2:3:4.5:6.7`, path: file() } } : {}),
    ...(random(2) ? { interpreterInNamespace: file() } : {}),
    ...(random(2) ? { rule: file() } : {}),
    absent: many(file),
    ...(random(2) ? { execute: file() } : {}),
    ...(random(2) ? { watchedOutside: [{ identity: `1:2:3:4.5:6.7`, path: file() }] } : {}),
    ...(random(2) ? { absentOutside: [file()] } : {}),
    ...(random(2) ? { view: [{ target: '/bin', source: file() }, { target: '/lib/ld.so' }] } : {}),
    ...(random(2) ? { loader: file(), libraryPath: file() } : {}),
    ...(random(2) ? { auditModule: file() } : {}),
    ...(random(2) ? { launcherVariables: ['NAME_A', 'NAME_B'].slice(random(2)) } : {}),
    ...(random(2) ? { directoryVariables: ['OWD'], argv0Variables: ['ARGV0', 'B'].slice(random(2)) } : {}),
    ...(random(2) ? { nixLdLists: [['NAME', text()]] as const } : {}),
    environment: many(() => [`NAME_${random(9)}`, text()] as const),
    argv: many(argument),
  };
}

test('every plan comes back as it was', () => {
  for (let seed = 1; seed <= 3000; seed += 1) {
    const plan = randomPlan(seed);
    assert.deepEqual(parsePlan(serialisePlan(plan)), plan, `seed ${seed}`);
  }
});

test('same plan, same bytes, as PLAN.md has them', () => {
  const plan: LaunchPlan = {
    program: '/p',
    identity: '1:2:3:4.5:6.7',
    strategy: 'loader',
    root: '/r',
    sha256: 'ff',
    directories: ['/d'],
    files: ['/f'],
    watched: [{ identity: '8:9:1:2.3:4.5', path: '/w x' }],
    rule: '/t',
    absent: ['/a'],
    absentOutside: ['/e'],
    watchedOutside: [{ identity: '8:9:1:2.3:4.5', path: '/u' }],
    execute: '/x',
    view: [{ target: '/t', source: '/s s' }, { target: '/v' }],
    loader: '/l',
    libraryPath: '/b:/c',
    auditModule: '/m',
    launcherVariables: ['L'],
    environment: [['N', 'v=w']],
    argv: [
      { kind: 'literal', text: '/x' },
      { kind: 'argv0' },
      { kind: 'library-path', list: '/d:/e' },
      { kind: 'program' },
    ],
  };
  const records = ['nix-run-foreign plan 2', 'p/p', 'i1:2:3:4.5:6.7', 'sloader', 'r/r', 'hff', 'd/d', 'f/f'];
  const rest = [
    'w8:9:1:2.3:4.5 /w x',
    't/t',
    'u8:9:1:2.3:4.5 /u',
    'a/a',
    'e/e',
    'x/x',
    'V/t /s s',
    'V/v ',
    'l/l',
    'b/b:/c',
    'm/m',
    'NL',
    '+N=v=w',
    'A/x',
    '0',
    'L/d:/e',
    'P',
    '.',
  ];
  assert.equal(serialisePlan(plan).toString(), [...records, ...rest].map((each) => `${each}\0`).join(''));
});

test('NUL in a value is an error, not another record', () => {
  assert.throws(() => serialisePlan({ ...randomPlan(1), program: '/a\0x/bin/sh' }), RangeError);
  assert.throws(() => serialisePlan({ ...randomPlan(1), environment: [['A', '\0.']] }), RangeError);
});

test('a plan cut anywhere, or with anything after it, is refused', () => {
  const bytes = serialisePlan(randomPlan(17));
  for (let length = 0; length < bytes.length; length += 1) {
    assert.equal(parsePlan(bytes.subarray(0, length)), undefined, `${length} bytes`);
  }
  for (const more of ['\0', 'x', '.\0', 'f/x\0', 'f/x\0.\0']) {
    assert.equal(parsePlan(Buffer.concat([bytes, Buffer.from(more)])), undefined, JSON.stringify(more));
  }
});

const required = ['p/p', 'i1:2:3:4.5:6.7', 'sdirect'];

const refused: Record<string, readonly string[]> = {
  'another format': ['nix-run-foreign plan 3', ...required],
  'no program': ['nix-run-foreign plan 2', 'i1:2:3:4.5:6.7', 'sdirect'],
  'no identity': ['nix-run-foreign plan 2', 'p/p', 'sdirect'],
  'two programs': ['nix-run-foreign plan 2', 'p/p', 'p/q', 'i1:2:3:4.5:6.7', 'sdirect'],
  'two identities': ['nix-run-foreign plan 2', 'p/p', 'i1:2:3:4.5:6.7', 'i1:2:3:4.5:6.8', 'sdirect'],
  'two files to execute': ['nix-run-foreign plan 2', ...required, 'x/a', 'x/b'],
  'two interpreters to lie over': ['nix-run-foreign plan 2', ...required, 'n/a', 'n/b'],
  'a relative interpreter to lie over': ['nix-run-foreign plan 2', ...required, 'nld.so'],
  'an interpreter path without identity': ['nix-run-foreign plan 2', ...required, 'k/file'],
  'an unknown strategy': ['nix-run-foreign plan 2', 'p/p', 'i1:2:3:4.5:6.7', 'smagic'],
  'an unknown record': ['nix-run-foreign plan 2', ...required, 'q/x'],
  'an empty record': ['nix-run-foreign plan 2', ...required, ''],
  'a relative program': ['nix-run-foreign plan 2', 'pp', 'i1:2:3:4.5:6.7', 'sdirect'],
  'a relative file': ['nix-run-foreign plan 2', ...required, 'ffile'],
  'a relative directory': ['nix-run-foreign plan 2', ...required, 'ddir'],
  'a relative file to execute': ['nix-run-foreign plan 2', ...required, 'xsh'],
  'a relative path that must be absent': ['nix-run-foreign plan 2', ...required, 'afile'],
  'a watched file without identity': ['nix-run-foreign plan 2', ...required, 'w/file'],
  'a variable without a value': ['nix-run-foreign plan 2', ...required, '+NAME'],
  'a relative loader': ['nix-run-foreign plan 2', ...required, 'lld.so'],
  'two loaders': ['nix-run-foreign plan 2', ...required, 'l/a', 'l/b'],
  'a relative library path': ['nix-run-foreign plan 2', ...required, 'ba:/b'],
  'a variable for the launcher with a value': ['nix-run-foreign plan 2', ...required, 'NA=b'],
  'a variable for the launcher without a name': ['nix-run-foreign plan 2', ...required, 'N'],
  'an argument with a value it cannot have': ['nix-run-foreign plan 2', ...required, '0x'],
};

for (const [what, records] of Object.entries(refused)) {
  test(`the launcher would refuse it, and so do we: ${what}`, () => {
    const text = [...records, '.'].map((each) => `${each}\0`).join('');
    assert.equal(parsePlan(Buffer.from(text)), undefined);
  });
}

test('a plan with bytes that are not UTF-8 is refused: written again they would be others', () => {
  const text = Buffer.from(['nix-run-foreign plan 2', ...required, 'f/\xff', '.'].join('\0'), 'latin1');
  assert.equal(parsePlan(Buffer.concat([text, Buffer.from('\0')])), undefined);
});

test('a plan with any byte changed is another plan or none, and never an exception', () => {
  const bytes = serialisePlan(randomPlan(23));
  const random = seededRandom(99);
  for (let i = 0; i < 3000; i += 1) {
    const damaged = Buffer.from(bytes);
    damaged[random(damaged.length)] = random(256);
    const plan = parsePlan(damaged);
    if (plan !== undefined) assert.deepEqual(serialisePlan(plan), damaged);
  }
});
