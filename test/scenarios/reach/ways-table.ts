// docs/what-each-way-keeps.md → its table of ways, cell by cell.
import { readFileSync } from 'node:fs';
import path from 'node:path';

/** What stands below each column, by the first cell of the row; emphasis is left out. */
export interface WaysTable {
  readonly columns: readonly string[];
  readonly rows: ReadonlyMap<string, readonly string[]>;
}

const page = path.resolve(import.meta.dirname, '../../../docs/what-each-way-keeps.md');

const cellsOf = (line: string) =>
  line
    .slice(1, -1)
    .split('|')
    .map((cell) => cell.trim().replaceAll('**', ''));

/** The first table of the page. */
export function readWaysTable(): WaysTable {
  const lines = readFileSync(page, 'utf8').split('\n');
  const begin = lines.findIndex((line) => line.startsWith('|'));
  if (begin < 0) throw new Error('docs/what-each-way-keeps.md has no table');
  const end = lines.findIndex((line, at) => at > begin && !line.startsWith('|'));
  const [head = [], , ...rows] = lines.slice(begin, end).map(cellsOf);
  return {
    columns: head.slice(1),
    rows: new Map(rows.map(([name = '', ...cells]) => [name, cells])),
  };
}
