// The project's files → the counts by which its layout is judged, one line each. `npm run counts`
import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';

const PROJECT = path.resolve(import.meta.dirname, '..');

function linesOf(file: string): number {
  return readFileSync(path.join(PROJECT, file), 'utf8').split('\n').length - 1;
}

function filesOf(...patterns: readonly string[]): { readonly file: string; readonly lines: number }[] {
  return globSync([...patterns], { cwd: PROJECT })
    .sort()
    .map((file) => ({ file, lines: linesOf(file) }));
}

function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

function longest(files: readonly { readonly file: string; readonly lines: number }[], count: number): string {
  const sorted = [...files].sort((a, b) => b.lines - a.lines).slice(0, count);
  return sorted.map(({ file, lines }) => `${file} ${lines}`).join(', ');
}

function row(name: string, patterns: readonly string[]): string {
  const files = filesOf(...patterns);
  const lines = files.map((each) => each.lines);
  const sum = lines.reduce((a, b) => a + b, 0);
  return `${name}: ${files.length} files, ${sum} lines, median ${median(lines)}; longest: ${longest(files, 3)}`;
}

const words = readFileSync(path.join(PROJECT, 'CONTRIBUTING.md'), 'utf8')
  .split('## The words of this project')[1]
  ?.split('\n## ')[0]
  ?.match(/^\| (?!word|---)/gm);

for (const line of [
  row('TypeScript (src/)', ['src/**/*.ts', 'src/**/*.cts']),
  row('C (launcher/)', ['launcher/*.[ch]']),
  row('C (audit/)', ['audit/*.[ch]']),
  row('shell hooks', ['shell-hooks/{hook,look,change,off}.*']),
  row('tests', ['test/**/*.test.ts']),
  `words of the project's own: ${words?.length ?? 0}`,
  `README: ${linesOf('README.md')} lines`,
])
  process.stdout.write(`${line}\n`);
