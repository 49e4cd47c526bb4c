// At a program's first instruction nothing is left of how it was entered: arguments, environment, stack, registers.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { ensureRig } from '../../rig/rig.ts';
import { homeInRoot } from '../../rig/root.ts';
import { sampled } from '../../sample.ts';
import { compile } from '../compile.ts';
import { onHost } from '../foreign-files.ts';
import { launcher, openToolRoot } from '../tool.ts';
import { openWays } from './ways-in.ts';

const rig = await ensureRig('full');
const source = readFileSync(path.join(import.meta.dirname, 'programs/first-instruction.c'), 'utf8');
const program = path.join(homeInRoot, 'bin/first-instruction');
const startWith = path.join(homeInRoot, 'bin/start-with');
const startWithSource = path.resolve(import.meta.dirname, '../../launcher/programs/start-with.c');

/** With PIE and without: where there is no PIE, addresses are those of the file. */
const builds: Readonly<Record<string, readonly string[]>> = {
  'as PIE': [],
  'at a fixed address': ['-no-pie'],
};

/** Entries as the program shall find them, in this order, with `way`'s own in front. */
const environments: Readonly<Record<string, readonly string[]>> = {
  'nothing about libraries': ['A=1', 'Z=2'],
  'a library path': ['A=1', 'LD_LIBRARY_PATH=/nowhere/users', 'Z=2'],
  'a library path as the last one': ['A=1', 'LD_LIBRARY_PATH=/nowhere/users'],
  'an empty library path': ['A=1', 'LD_LIBRARY_PATH=', 'Z=2'],
  'a library path for nix-ld': ['A=1', 'NIX_LD_LIBRARY_PATH=/nowhere/nix-ld', 'HOME_OF_Z=/z', 'Z=2'],
  'one for nix-ld and this machine': ['NIX_LD_LIBRARY_PATH_x86_64_linux=/nowhere/system', 'Z=2'],
  'one for nix-ld as the last one': ['A=1', 'NIX_LD_LIBRARY_PATH=/nowhere/nix-ld'],
  both: ['NIX_LD_LIBRARY_PATH=/nowhere/nix-ld', 'A=1', 'LD_LIBRARY_PATH=/nowhere/users', 'Z=2'],
  'an entry without =': ['A=1', 'nothing', 'LD_LIBRARY_PATH=/nowhere/users', 'Z=2'],
  'an odd number of entries': ['A=1', 'B=2', 'C=3'],
};

const expected = [
  'aligned 1',
  'same stack 1',
  'finishes 1',
  'entry 1 1 1',
  'loader 1 1',
  'vdso 1 1',
  'program headers 1',
  '',
];

for (const [turn, root] of (await openWays(rig, ['nix-ld-1'])).entries()) {
  const { way } = root;
  for (const [build, flags] of Object.entries(builds)) {
    const file = `${program}-${flags.length}`;
    mkdirSync(path.dirname(onHost(root, file)), { recursive: true });
    compile(onHost(root, file), source, ['-Wl,-e,first_instruction', ...flags]);
    compile(onHost(root, startWith), readFileSync(startWithSource, 'utf8'), ['-w', '-static']);

    for (const [name, entries] of sampled(Object.entries(environments), 3, turn))
      test(`${name}, ${build}, entered by ${way}`, async () => {
        const home = [
          `HOME=${homeInRoot}`,
          ...Object.entries(root.session).map(([key, value]) => `${key}=${value}`),
        ];
        // start-with puts each new entry in front.
        const wanted = [...home, ...entries];
        const edits = wanted.toReversed().flatMap((entry) => ['entry', entry]);
        const words = ['first', 'second argument', ''];
        const env = { HOME: undefined, USER: undefined, PATH: undefined, PWD: undefined };
        const begin = [startWith, ...edits, '--', file, ...words] as const;
        const text = [
          `exe ${file}`,
          ...[file, ...words].map((word) => `argument ${word}`),
          ...wanted.map((entry) => `environment ${entry}`),
          ...expected,
        ].join('\n');
        for (const turn of ['miss or hit', 'hit']) {
          const { status, stdout, stderr } = await root.run({ argv: begin, env });
          assert.deepEqual(
            [status, stdout.replaceAll(/^environment PWD=.*\n/gm, ''), stderr],
            [0, text, ''],
            turn,
          );
        }
      });
  }
}

test('without us it does not start', async () => {
  const root = await openToolRoot(rig, { interpreter: 'nix-ld' });
  mkdirSync(path.dirname(onHost(root, program)), { recursive: true });
  compile(onHost(root, program), source, ['-Wl,-e,first_instruction']);
  const outcome = await root.bare(program);
  assert.notEqual(outcome.status, 0);
  const prefixed = await root.start([program]);
  assert.match(prefixed.stdout, new RegExp(`^environment NIX_LD_x86_64_linux=${launcher}$`, 'm'));
  assert.doesNotMatch(prefixed.stdout, /LIBRARY_PATH/);
});
