// README.md or a page of docs/ → a section: the lines that a user types or writes into files.
import { readFileSync } from 'node:fs';
import path from 'node:path';

const PROJECT = path.resolve(import.meta.dirname, '../../..');

export interface Block {
  readonly language: string;
  readonly text: string;
}

/** What stands below a heading of the second or third level, up to the next heading. */
export function sectionOf(heading: string, page = 'README.md'): string {
  const sections = readFileSync(path.join(PROJECT, page), 'utf8').split(/^#{2,3} /m);
  const found = sections.find((each) => each.startsWith(`${heading}\n`));
  if (found === undefined) throw new Error(`${page} has no section ${heading}`);
  return found;
}

/** The fenced blocks below a heading, in order. */
export function blocksOf(heading: string, page = 'README.md'): readonly Block[] {
  const fences = sectionOf(heading, page).matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm);
  return [...fences].map(([, language = '', text = '']) => ({ language, text: text.trimEnd() }));
}

/** The line that the table has for a shell's startup file. */
export function startupLine(heading: string, shell: string): string {
  const line = new RegExp(`^\\| ${shell} \\| \`([^|]+(?:\\\\\\|[^|]+)*)\` \\|`, 'm').exec(
    sectionOf(heading),
  )?.[1];
  if (line === undefined) throw new Error(`README.md has no line for ${shell}`);
  return line.replaceAll('\\|', '|'); // as a table has it
}
