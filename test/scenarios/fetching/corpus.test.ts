// A store that is empty but for Nix and Node, and programs of many libraries → each starts: all is found and fetched.
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { elfFileAt } from '../../../src/elf/open-elf.ts';
import { providerOf } from '../../rig/binary-cache.ts';
import type { ForeignProgram } from '../../rig/foreign.ts';
import { ensureRig } from '../../rig/rig.ts';
import { sampled } from '../../sample.ts';
import { copyHome } from '../foreign-files.ts';
import { exchangeForTests, fetching, openMachine, startOver, withEnv } from '../travelling/machines.ts';
import { indexedCache } from './indexed-cache.ts';

const rig = await ensureRig('full');
const names = ['curl', 'psql', 'redis-cli', 'rsvg-convert', 'gs', 'w3m', 'vim.basic', 'convert-im6.q16'];
const programs = names.flatMap((name) =>
  rig.foreign.filter((each) => each.suite === 'bookworm' && path.basename(each.path) === name),
);

/** Store paths of what a program names itself; the rest are references of these. */
function librariesOf({ path: file }: ForeignProgram): string[] {
  const { needed = [] } = elfFileAt(file) ?? {};
  return needed.map((name) => providerOf(rig, 'bookworm', name).path);
}

const exchange = exchangeForTests();
const maker = await openMachine(rig, exchange);
const cache = await indexedCache(maker, exchange, [...new Set(programs.flatMap(librariesOf))]);
const bare = await openMachine(rig, exchange);
const plain = fetching([cache.url], [cache.key.publicKey]);
const withIndex = withEnv(plain, { NIX_RUN_FOREIGN_INDEX: cache.index });

test('there are enough of them', () => {
  assert.ok(programs.length >= 6, programs.map(({ name }) => name).join(', '));
});

for (const program of sampled(programs, 2))
  test(`${program.name} from an empty store: in one round, silent afterwards, kept by the collector`, async () => {
    await startOver(bare);
    const line = [copyHome(bare, program, `corpus/${path.basename(program.path)}`), ...program.args];
    const without = await bare.start(line, plain);
    assert.equal(without.status, 126, 'something serves it already');
    const { stdout, stderr } = await bare.start(line, withIndex);
    assert.match(`${stdout}${stderr}`, new RegExp(program.expect, 'm'), stderr);
    const told = stderr.split('\n').filter((each) => each.startsWith('nix-run-foreign: '));
    assert.equal(told.length, 1, stderr);
    assert.match(told[0] ?? '', /: fetched /);
    assert.equal((await bare.run({ argv: ['nix-store', '--gc'] })).status, 0);
    const again = await bare.start(line, { env: { NIX_RUN_FOREIGN_RESOLVER: '/nowhere/x' } });
    assert.match(`${again.stdout}${again.stderr}`, new RegExp(program.expect, 'm'));
    assert.doesNotMatch(again.stderr, /nix-run-foreign/);
  });
