// Results → rows of the table in docs/reliability.md; rows of other targets stay as they were.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { writeFileAtomically } from '../../src/host/atomic-file.ts';
import type { Result } from './results.ts';

const DOCUMENT = path.resolve(import.meta.dirname, '../../docs/reliability.md');
const BEGIN = '<!-- rows: npm run torture -- --write -->\n';
const END = '<!-- end of rows -->';
const HEAD =
  '| part | target | tried | seconds | faults | figures | last run |\n| --- | --- | ---: | ---: | ---: | --- | --- |\n';

function cellsOf({ part, target, tried, seconds, figures, findings }: Result): string[] {
  return [part, target, tried.toLocaleString('en'), seconds.toFixed(0), String(findings.length), figures];
}

/** What the terminal shows. */
export function tableLine(result: Result): string {
  return `| ${cellsOf(result).join(' | ')} |`;
}

function keyOf(row: string): string {
  return row.split(' | ').slice(0, 2).join(' | ');
}

function merged(old: readonly string[], made: readonly string[]): string[] {
  const keys = new Set(made.map(keyOf));
  const kept = old.filter((row) => !keys.has(keyOf(row)));
  return [...kept, ...made].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
}

/** `text` with the rows of these results in its table. */
export function withRows(text: string, results: readonly Result[], run: string): string {
  const [begin, end] = [text.indexOf(BEGIN) + BEGIN.length, text.indexOf(END)];
  const old = text
    .slice(begin, end)
    .split('\n')
    .filter((line) => line !== '' && !HEAD.includes(`${line}\n`));
  const made = results.map((result) => `| ${[...cellsOf(result), run].join(' | ')} |`);
  return `${text.slice(0, begin)}\n${HEAD}${merged(old, made).join('\n')}\n\n${text.slice(end)}`;
}

export function writeTable(results: readonly Result[], seed: number): void {
  const run = `${new Date().toISOString().slice(0, 10)}, seed ${seed}`;
  writeFileAtomically(DOCUMENT, withRows(readFileSync(DOCUMENT, 'utf8'), results, run));
}
