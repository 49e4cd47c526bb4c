// One name → all that is known of it, as facts and as text: who needs it, every candidate and why it lost.

import { wrapWords } from '../../host/output.ts';
import { type CandidateRow, candidateRow, neederRow } from '../choose/candidate-rows.ts';
import type { SonameReport } from './candidates.ts';
import type { MapEntry } from './load-map.ts';
import { cutList, foundText, otherNames, passedOver } from './tree.ts';

export interface Why {
  readonly name: string;
  readonly file: string;
  readonly found: string;
  readonly how: MapEntry['how'];
  readonly match: string | null;
  readonly neededBy: readonly {
    readonly name: string;
    readonly file: string;
    readonly versions: readonly string[];
  }[];
  readonly candidates: readonly CandidateRow[];
}

export function whyOf(entry: MapEntry, report: SonameReport | undefined): Why {
  return {
    name: entry.name,
    file: entry.file,
    found: entry.found,
    how: entry.how,
    match: entry.match,
    neededBy:
      report === undefined
        ? entry.neededBy.map((name) => ({ name, file: '', versions: [] }))
        : report.neededBy.map(neederRow),
    candidates: report === undefined ? [] : report.candidates.map(candidateRow),
  };
}

const WIDTH = 100;

function wrapped(text: string, indent: string): string[] {
  return wrapWords(text, WIDTH - indent.length, '  ').map((line) => indent + line);
}

const NO_CANDIDATES: Record<string, string> = {
  bundled: 'the program brings it along, and what lies beside a program is not looked for in the store',
  LD_LIBRARY_PATH: "it lies in the user's LD_LIBRARY_PATH, which this program cannot do without",
  'libc of the loader': 'the whole libc family comes from the store object of the loader',
  loader: 'it is the loader itself',
};

function candidateLines({ object, file, glibc, chosen, lost }: CandidateRow): string[] {
  const built = glibc === null ? '' : `, built with ${glibc}`;
  const verdict = chosen ? ['taken'] : lost === null ? [] : [`${lost.criterion}: ${lost.detail}`];
  return [
    ...wrapped(`${object}${built}`, chosen ? '  * ' : '    '),
    `      ${file}`,
    ...verdict.flatMap((each) => wrapped(each, '      ')),
  ];
}

export function whyText(why: Why): string {
  const { name, file, found, match, neededBy, candidates } = why;
  const rule = foundText(why);
  const passed = passedOver(why);
  const needers = neededBy.flatMap(({ name: by, versions }) =>
    wrapped(versions.length === 0 ? by : `${by}: ${cutList(versions)}`, '  '),
  );
  return [
    name,
    `  ${file}`,
    ...wrapped(match === null || match === 'exact' ? rule : `${rule}, ${match} match`, '  '),
    ...otherNames(why).flatMap((line) => wrapped(line, '  ')),
    ...(passed.length === 0 ? [] : wrapped(`passed over: ${passed.join(', ')}`, '  ')),
    '',
    needers.length === 0 ? 'needed by the kernel' : 'needed by, with the versions needed of it:',
    ...needers,
    '',
    ...(candidates.length === 0
      ? wrapped(NO_CANDIDATES[found] ?? 'nothing is known of other candidates in the store', '')
      : [`candidates in the store: ${candidates.length}`, ...candidates.flatMap(candidateLines)]),
  ].join('\n');
}
