// README.md → its table of ways, cell by cell.
import { readFileSync } from 'node:fs';
import path from 'node:path';

/** What stands below each column, by the first cell of the row; emphasis is left out. */
export interface WaysTable {
  readonly columns: readonly string[];
  readonly rows: ReadonlyMap<string, readonly string[]>;
}

const readme = path.resolve(import.meta.dirname, '../../../README.md');

const cellsOf = (line: string) =>
  line
    .slice(1, -1)
    .split('|')
    .map((cell) => cell.trim().replaceAll('**', ''));

/** The first table after the heading "What each way keeps". */
export function readWaysTable(): WaysTable {
  const section = readFileSync(readme, 'utf8').split(/^### What each way keeps$/m)[1] ?? '';
  const lines = section.split('\n');
  const begin = lines.findIndex((line) => line.startsWith('|'));
  if (begin < 0) throw new Error('README.md has no table below "What each way keeps"');
  const end = lines.findIndex((line, at) => at > begin && !line.startsWith('|'));
  const [head = [], , ...rows] = lines.slice(begin, end).map(cellsOf);
  return {
    columns: head.slice(1),
    rows: new Map(rows.map(([name = '', ...cells]) => [name, cells])),
  };
}
