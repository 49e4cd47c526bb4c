// First starts with a fingerprint beside the program, and with a source that has none → their cost, and how often Nix is run.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import stringify from 'fast-json-stable-stringify';
import type { Fingerprint } from '../../src/fingerprint/fingerprint.ts';
import { sidecarOf } from '../../src/fingerprint/sidecar.ts';
import { sha256OfFile } from '../../src/host/file-identity.ts';
import type { Rig } from '../rig/rig.ts';
import { serveDirectory } from '../rig/web-server.ts';
import {
  type BenchRoot,
  copiesOf,
  copyName,
  DRIVER,
  openBenchRoot,
  PROGRAMS,
  RESOLVER,
  TOOL,
} from './bench-root.ts';
import { type Case, measure, report } from './measure.ts';

const ROUNDS = 25;
const HOME = { HOME: '/home/tester' };

/** Copies that are new to the tool, each with its document where `document` is given; the last one is for warming up. */
function putCopies(
  bench: BenchRoot,
  name: string,
  program: string,
  { document, first }: { document?: Fingerprint; first?: number } = {},
): void {
  const directory = path.join(bench.programs, name);
  mkdirSync(directory);
  copiesOf(program, directory, ROUNDS + 1, first);
  if (document === undefined) return;
  for (let i = 0; i <= ROUNDS; i += 1) {
    const copy = path.join(directory, copyName(i));
    const identity = { sha256: sha256OfFile(copy), size: readFileSync(copy).length };
    const own = { ...document, program: { ...document.program, ...identity } };
    writeFileSync(sidecarOf(copy), `${stringify(own)}\n`);
  }
}

async function run(bench: BenchRoot, argv: readonly [string, ...string[]], env: Record<string, string>) {
  const { status, stdout, stderr } = await bench.root.run({ argv, env });
  if (status !== 0) throw new Error(`${argv.join(' ')}: ${stderr}`);
  return { stdout, stderr };
}

async function benchSidecars(bench: BenchRoot, rig: Rig, name: string): Promise<boolean> {
  const program = rig.foreign.find((each) => each.name === name && each.suite === 'bookworm');
  if (program === undefined) throw new Error(`the rig has no ${name}`);
  const env = { ...HOME, PATH: rig.nixBin };
  const words = ['fingerprint', 'export', '-o', '-', program.path];
  const { stdout } = await run(bench, [rig.node, RESOLVER, ...words], env);
  putCopies(bench, name, program.path, { document: JSON.parse(stdout) as Fingerprint });
  const start = (which: string | number) =>
    [TOOL, `${PROGRAMS}/${name}/${copyName(which)}`, ...program.args] as const;
  const { stderr } = await run(bench, [...start(ROUNDS)], { ...env, NIX_RUN_FOREIGN_DEBUG: '1' });
  const nix = stderr.match(/^nix-run-foreign: debug: nix(?:-[a-z]+)? .*: \S+ \(\d+ ms\)$/gm)?.length ?? 0;
  const trusted = /is trusted/.test(stderr) && !/solved/.test(stderr);
  const cases: Case[] = [
    { label: 'empty script, same Node', env: HOME, argv: [rig.node, `${PROGRAMS}/empty.cjs`] },
    { label: `first start of ${name} with a sidecar`, env, argv: start('{}') },
  ];
  const times = await measure(bench.root, DRIVER, ROUNDS, cases);
  const met = report(`travel: ${name} beside its fingerprint`, cases, times, { of: 1, to: 0, at: 3 });
  process.stdout.write(`  Nix is run ${nix} times, at most 1: ${nix <= 1 && trusted ? 'met' : 'MISSED'}\n`);
  return met && nix <= 1 && trusted;
}

async function benchAbsentSource(bench: BenchRoot, rig: Rig): Promise<boolean> {
  const nothing = path.join(bench.programs, 'nothing');
  putCopies(bench, 'alone', nothing);
  putCopies(bench, 'asking', nothing, { first: 1 + 2 * ROUNDS });
  const server = await serveDirectory(path.join(bench.programs, 'no-fingerprints'));
  try {
    const directory = path.join(bench.root.homeDir, 'asking/nix-run-foreign');
    mkdirSync(directory, { recursive: true });
    writeFileSync(path.join(directory, 'config.toml'), `sources = ["${server.url}"]\n`);
    const env = { ...HOME, PATH: rig.nixBin };
    const asking = { ...env, XDG_CONFIG_HOME: '/home/tester/asking' };
    await run(bench, [TOOL, `${PROGRAMS}/alone/${copyName(ROUNDS)}`], env);
    const cases: Case[] = [
      { label: 'first start without sources', env, argv: [TOOL, `${PROGRAMS}/alone/${copyName('{}')}`] },
      {
        label: 'with a source that has none',
        env: asking,
        argv: [TOOL, `${PROGRAMS}/asking/${copyName('{}')}`],
      },
    ];
    const [alone, asked] = await measure(bench.root, DRIVER, ROUNDS, cases);
    const extra = ((asked?.median ?? Number.NaN) - (alone?.median ?? Number.NaN)) / 1000;
    const met = extra <= 100 && server.requests.length >= ROUNDS;
    process.stdout.write('\ntravel: a source that has none, on loopback\n');
    process.stdout.write(`  ${extra.toFixed(1)} ms more, at most 100: ${met ? 'met' : 'MISSED'}\n`);
    return met;
  } finally {
    await server.close();
  }
}

/** `compileNothing` puts the smallest program that there is, `nothing`, into a directory. */
export async function benchTravel(rig: Rig, compileNothing: (directory: string) => void): Promise<boolean> {
  const bench = await openBenchRoot(rig, 'none');
  try {
    compileNothing(bench.programs);
    writeFileSync(path.join(bench.programs, 'empty.cjs'), '');
    mkdirSync(path.join(bench.programs, 'no-fingerprints'));
    const results = [
      await benchSidecars(bench, rig, 'jq'),
      await benchSidecars(bench, rig, 'curl'),
      await benchAbsentSource(bench, rig),
    ];
    return results.every(Boolean);
  } finally {
    await bench.close();
  }
}
