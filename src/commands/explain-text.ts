// An explanation → text for people.
import path from 'node:path';
import { choiceLines } from '../choices/choices.ts';
import type { Explanation } from './explain.ts';
import { treeLines } from './explain-tree.ts';

function headLines(explanation: Explanation): string[] {
  const rows: [string, string | undefined][] = [
    ['program', explanation.program],
    ['kind', explanation.kind],
    ['strategy', explanation.strategy],
    ['because', explanation.why],
    ['loader', explanation.loader],
    ['sha256', explanation.sha256],
    ['set', explanation.origin],
    ['root', explanation.root],
    ['farm', explanation.farm],
    ['plan', explanation.plan],
  ];
  const chosen = explanation.choices === undefined ? [] : choiceLines(explanation.choices);
  return [
    ...rows.filter(([, value]) => value !== undefined).map(([key, value]) => `${key.padEnd(9)} ${value}`),
    ...chosen.map((line) => `${'by hand'.padEnd(9)} ${line}`),
  ];
}

/** The explanation as text for people: the head, the tree of objects, warnings. */
export function explanationText(explanation: Explanation): string {
  const { objects, shadowed = [], disagreement, warnings = [] } = explanation;
  const load =
    objects === undefined
      ? []
      : [
          '',
          `loads ${objects.length} objects, in the order of the numbers, each below the one that loads it:`,
          ...treeLines(path.basename(explanation.program), objects),
        ];
  const warn = [
    ...(disagreement == null
      ? []
      : [`the simulation of the loader differs from the loader itself, which is shown: ${disagreement}`]),
    ...warnings,
    ...shadowed.map(({ name, by }) => `LD_LIBRARY_PATH comes first and has another ${name}: ${by}`),
  ].map((line) => `warning: ${line}`);
  return [...headLines(explanation), ...load, ...(warn.length > 0 ? ['', ...warn] : [])].join('\n');
}
