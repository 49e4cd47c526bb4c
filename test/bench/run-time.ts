// Starts and searches with the audit module → the same without it, in one run.
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { sonameTable } from '../../src/store/soname-table.ts';
import type { Rig } from '../rig/rig.ts';
import { type BenchRoot, DRIVER, openBenchRoot, PROGRAMS, RESOLVER, TOOL } from './bench-root.ts';
import { makeFortyLibraries } from './forty-libraries.ts';
import { type Case, measure, milliseconds } from './measure.ts';

const ROUNDS = 800;
const PROBES = 10_000;
const OPENINGS = 500;
const LEARNED = 'libz.so.1';
const NAMES = 100_000;

/**
 * What the module may cost: microseconds at the start of a program that does nothing, times at that of one with 40
 * libraries, microseconds for a name that nobody has, times for one that was learned; milliseconds of the soname table.
 */
const LIMIT = { start: 40, forty: 1.03, probe: 2, learned: 1.1, table: 100 };

const OPENS = `#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
int main(int argc, char **argv)
{
	int found = 0;
	for (int i = 0, count = argc > 1 ? atoi(argv[1]) : 0; i < count; i++) {
		char name[64];
		if (argc > 2) {
			void *library = dlopen(argv[2], RTLD_LAZY);
			if (!library || dlclose(library)) return 1;
			continue;
		}
		snprintf(name, sizeof name, "libfalse%d.so.7", i);
		found += dlopen(name, RTLD_LAZY) != NULL;
	}
	return found;
}
`;

/** What ld.so itself does for any module: nothing of ours can be below that. */
const EMPTY_MODULE = 'unsigned la_version(unsigned version) { return version; }\n';

interface Plan {
  readonly loader: string;
  readonly libraryPath: string;
  readonly auditModule?: string;
}

async function planOf(bench: BenchRoot, rig: Rig, program: string): Promise<Plan> {
  const argv = [rig.node, RESOLVER, 'resolve', '--json', program] as const;
  const { stdout, stderr } = await bench.root.run({ argv });
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout) as Plan;
}

function pair(
  program: string,
  { loader, libraryPath }: Plan,
  module: string,
  args: readonly string[],
): Case[] {
  const env = { HOME: '/home/tester' };
  const words = (audit: readonly string[]) => [
    loader,
    '--inhibit-cache',
    ...audit,
    '--argv0',
    program,
    '--library-path',
    libraryPath,
    program,
    ...args,
  ];
  return [
    { label: 'without the module', env, argv: words([]) },
    { label: 'with it', env, argv: words(['--audit', module]) },
    { label: 'with an empty one', env, argv: words(['--audit', `${PROGRAMS}/empty.so`]) },
  ];
}

interface Difference {
  readonly ratio: number;
  /** Microseconds. */
  readonly more: number;
  /** Of these, beyond what an empty module takes. */
  readonly own: number;
  /** Microseconds without, with, and with an empty one. */
  readonly medians: readonly number[];
}

async function compare(
  bench: BenchRoot,
  title: string,
  rounds: number,
  cases: readonly Case[],
): Promise<Difference> {
  const times = await measure(bench.root, DRIVER, rounds, cases);
  process.stdout.write(`\n${title}\n`);
  for (const [i, { label }] of cases.entries())
    process.stdout.write(
      `  ${milliseconds(times[i]?.median ?? Number.NaN).padStart(11)} median  ${milliseconds(times[i]?.tenth ?? Number.NaN).padStart(11)} p10  ${label}\n`,
    );
  const [without = Number.NaN, having = Number.NaN, empty = Number.NaN] = times.map(({ median }) => median);
  const medians = [without, having, empty];
  return { ratio: having / without, more: having - without, own: having - empty, medians };
}

/** Beyond the start, how many times as long one opening takes. */
function openingRatio(opened: Difference, started: Difference): number {
  const [without = Number.NaN, having = Number.NaN] = opened.medians.map(
    (median, i) => median - (started.medians[i] ?? Number.NaN),
  );
  return having / without;
}

/** A first start finds the library on demand; the plan of the next one has it. */
async function learn({ root }: BenchRoot, program: string, name: string): Promise<void> {
  const { status, stderr } = await root.run({ argv: [TOOL, program, '1', name] });
  if (status !== 0) throw new Error(`${name} is not found on demand: ${stderr}`);
}

function benchTable(): boolean {
  const names = Array.from({ length: NAMES }, (_, i) => `libsome-library-${i}.so.${i % 17}`);
  const times = Array.from({ length: 15 }, () => {
    const begin = process.cpuUsage();
    sonameTable(names, { machine: 62, catalogue: 1n });
    const { user, system } = process.cpuUsage(begin);
    return (user + system) / 1000;
  }).sort((a, b) => a - b);
  const [tenth = Number.NaN, median = Number.NaN] = [times[1], times[7]];
  process.stdout.write(`\nThe soname table of ${NAMES} names\n`);
  return verdict(
    `${median.toFixed(0)} ms of a processor median, ${tenth.toFixed(0)} p10`,
    LIMIT.table,
    median <= LIMIT.table,
  );
}

function verdict(figure: string, limit: number, met: boolean): boolean {
  process.stdout.write(`  ${figure}, at most ${limit}: ${met ? 'met' : 'MISSED'}\n`);
  return met;
}

export async function benchRunTime(rig: Rig): Promise<boolean> {
  const bench = await openBenchRoot(rig, 'none');
  try {
    const source = path.join(bench.programs, 'opens.c');
    writeFileSync(source, OPENS);
    execFileSync('cc', ['-O1', '-o', path.join(bench.programs, 'opens'), source]);
    const flags = ['-shared', '-nostdlib', '-O2', '-o', path.join(bench.programs, 'empty.so')];
    execFileSync('cc', [...flags, '-x', 'c', '-'], { input: EMPTY_MODULE });
    await makeFortyLibraries(bench.root, path.join(bench.programs, 'forty'));
    const opens = `${PROGRAMS}/opens`;
    const plan = await planOf(bench, rig, opens);
    const module = plan.auditModule;
    if (module === undefined) throw new Error('the plan has no audit module');
    const forty = `${PROGRAMS}/forty`;
    const start = await compare(bench, 'A start that opens nothing', ROUNDS, pair(opens, plan, module, []));
    const own = `${start.own.toFixed(0)} beyond an empty module`;
    const met = verdict(
      `${start.more.toFixed(0)} microseconds more, ${own}`,
      LIMIT.start,
      start.more <= LIMIT.start,
    );
    const many = pair(forty, await planOf(bench, rig, forty), module, []);
    const ofForty = await compare(bench, 'A start with 40 libraries', ROUNDS / 4, many);
    const fortyMet = verdict(`${ofForty.ratio.toFixed(3)} times`, LIMIT.forty, ofForty.ratio <= LIMIT.forty);
    const probes = pair(opens, plan, module, [String(PROBES)]);
    const failing = await compare(bench, `${PROBES} names that nobody has`, 15, probes);
    const each = failing.more / PROBES;
    const probeMet = verdict(`${each.toFixed(2)} microseconds a name more`, LIMIT.probe, each <= LIMIT.probe);
    await learn(bench, opens, LEARNED);
    const extended = await planOf(bench, rig, opens);
    const words = [String(OPENINGS), LEARNED];
    const learned = await compare(
      bench,
      `${OPENINGS} times ${LEARNED}, learned at an earlier start`,
      15,
      pair(opens, extended, extended.auditModule ?? module, words),
    );
    const ratio = openingRatio(learned, start);
    const learnedMet = verdict(`${ratio.toFixed(3)} times`, LIMIT.learned, ratio <= LIMIT.learned);
    return benchTable() && met && fortyMet && probeMet && learnedMet;
  } finally {
    await bench.close();
  }
}
