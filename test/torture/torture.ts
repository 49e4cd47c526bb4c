// `npm run torture -- [--minutes N] [--seed S] [--only NAME,...] [--from N] [--inputs N] [--write]` → findings, a table.
import { parseArgs } from 'node:util';
import { PARTS } from './parts.ts';
import type { Part, Result } from './results.ts';
import { tableLine, writeTable } from './results-table.ts';

const { values } = parseArgs({
  options: {
    /** For all targets together. */
    minutes: { type: 'string', default: '10' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000_007) },
    /** Parts or targets. */
    only: { type: 'string', default: PARTS.map(({ name }) => name).join(',') },
    /** Ends each target earlier. */
    inputs: { type: 'string', default: 'Infinity' },
    /** Goes on behind so many kills, faults or swaps of an earlier run with this seed. */
    from: { type: 'string', default: '0' },
    write: { type: 'boolean', default: false },
  },
});

function chosenTargets(names: readonly string[]): { part: Part; target: string }[] {
  return PARTS.flatMap((part) =>
    part.targets
      .filter((target) => names.includes(part.name) || names.includes(target))
      .map((target) => ({ part, target })),
  );
}

const chosen = chosenTargets(values.only.split(','));
if (chosen.length === 0) {
  for (const { name, what, targets } of PARTS) console.error(`${name}: ${what}\n  ${targets.join(', ')}`);
  throw new Error('--only names none of these parts and targets');
}
const [seed, inputs, from] = [values.seed, values.inputs, values.from].map(Number) as [
  number,
  number,
  number,
];
const GOES_ON = ['kill', 'faults', 'lasting', 'swap'];
if (!(from >= 0) || (from > 0 && chosen.some(({ part }) => !GOES_ON.includes(part.name))))
  throw new Error('--from is a number, for kill, faults, lasting and swap');
const seconds = (Number(values.minutes) * 60) / chosen.length;
console.log(`seed ${seed}, ${chosen.length} targets, ${seconds.toFixed(1)} s each at most`);

const results: Result[] = [];
for (const { part, target } of chosen) {
  const result = await part.run(target, { seed, seconds, inputs, from });
  results.push(result);
  console.log(tableLine(result));
  for (const { what, again } of result.findings) console.log(`  FOUND ${what}\n    again: ${again}`);
  if (values.write) writeTable(results, seed);
}
process.exitCode = results.some(({ findings }) => findings.length > 0) ? 1 : 0;
