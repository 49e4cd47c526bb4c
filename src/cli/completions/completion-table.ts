// The tables of both commands → what may follow each word: options, kinds of arguments. launcher/options.c
// reads the options of `nix-run-foreign`.
import { SHELLS as HOOKED_SHELLS } from '../../integrations/hooks/hook-text.ts';
import { REQUESTED_STRATEGIES } from '../../resolve/choose-strategy.ts';
import type { CommandRow } from '../command.ts';
import { FORMATS } from '../graph/graph.ts';

/** The shells that completions are written for. */
export const COMPLETED_SHELLS = ['bash', 'zsh', 'fish'] as const;

/**
 * What a shell offers for a value: files, directories, what stands in the user's files, one of some words, or nothing.
 */
export type ValueKind = 'file' | 'directory' | 'shim' | 'registered' | 'command' | 'text' | readonly string[];

/**
 * What decides what is offered, the first that is here: the option or the command with the word between its brackets,
 * then that word alone.
 */
export const KINDS: Readonly<Record<string, ValueKind>> = {
  '--strategy': REQUESTED_STRATEGIES,
  '--format': FORMATS,
  '--wrap': 'text',
  '--method': ['auto', 'in-place', 'append', 'insert', 'interpreter'],
  '--hard-links': ['refuse', 'all', 'one'],
  words: 'text',
  arguments: 'text',
  'shim remove names': 'shim',
  'dirs remove directories': 'registered',
  'hook shell': HOOKED_SHELLS,
  'completions shell': COMPLETED_SHELLS,
  program: 'file',
  programs: 'file',
  file: 'file',
  files: 'file',
  'file-or-program': 'file',
  before: 'file',
  after: 'file',
  'soname=path': 'file',
  'soname[=path]': 'file',
  directory: 'directory',
  directories: 'directory',
  soname: 'text',
  pattern: 'text',
  name: 'text',
  days: 'text',
  'store-url': 'text',
  cache: 'directory',
  index: 'file',
  'store-path': 'file',
};

export interface CompletedOption {
  /** With their dashes, e.g. `-o`, `--output`. */
  readonly names: readonly string[];
  readonly description: string;
  /** Of its value, where it takes one. */
  readonly value?: ValueKind;
}

/** What may follow some words, `''` for the program's name alone. */
export interface Completed {
  readonly path: string;
  readonly words: readonly (readonly [word: string, description: string])[];
  readonly options: readonly CompletedOption[];
  /** Of each argument; the last one also of those behind it. */
  readonly arguments: readonly ValueKind[];
}

const HELP: CompletedOption = { names: ['-h', '--help'], description: 'show the help' };

function kindOf(bracketed: string, special: (word: string) => string): ValueKind {
  const word = bracketed.replace(/[[\]<>.]/g, '');
  return KINDS[special(word)] ?? KINDS[word] ?? 'text';
}

/** @example completedOption(['-o, --output <file>', 'write']) → names `-o` and `--output`, value `file` */
export function completedOption([flags, description]: readonly [string, string]): CompletedOption {
  const value = /<.*>/.exec(flags)?.[0];
  const names = flags
    .replace(/ <.*/, '')
    .split(',')
    .map((each) => each.trim());
  if (value === undefined) return { names, description };
  return { names, description, value: kindOf(value, () => names.at(-1) ?? '') };
}

function ofRow({ usage, options }: CommandRow): Completed {
  const path = usage.replace(/ [<[].*/, '');
  const parameters = usage.match(/[<[][^\]>]+[\]>]/g) ?? [];
  return {
    path,
    words: [],
    options: [...options.map(completedOption), HELP],
    arguments: parameters.map((each) => kindOf(each, (word) => `${path} ${word}`)),
  };
}

/** The word that comes next on the way to each of the paths, each once. */
function wordsBelow(
  above: string,
  rows: readonly CommandRow[],
  groups: Readonly<Record<string, string>>,
): readonly (readonly [string, string])[] {
  const below = new Map<string, string>();
  for (const row of rows) {
    const { path } = ofRow(row);
    if (above !== '' && !path.startsWith(`${above} `)) continue;
    const [word = '', ...rest] = path.slice(above === '' ? 0 : above.length + 1).split(' ');
    below.set(word, rest.length === 0 ? row.summary : (groups[word] ?? ''));
  }
  return [...below, ['help', 'show the help of a command']];
}

/** Everything that can be completed after `nix-foreign`, groups before their commands. */
export function completedCommands(
  rows: readonly CommandRow[],
  groups: Readonly<Record<string, string>>,
): readonly Completed[] {
  const group = (path: string, options: readonly CompletedOption[]): readonly Completed[] => {
    const help = path === '' ? 'help' : `${path} help`;
    return [
      { path, words: wordsBelow(path, rows, groups), options, arguments: [] },
      { path: help, words: [], options: [], arguments: path === '' ? ['command'] : [] },
    ];
  };
  const version: CompletedOption = { names: ['-V', '--version'], description: 'show the version' };
  const leaves = rows.map(ofRow);
  const used = Object.keys(groups).filter((name) => leaves.some(({ path }) => path.startsWith(`${name} `)));
  return [...group('', [HELP, version]), ...used.flatMap((name) => group(name, [HELP])), ...leaves];
}

/** Flags as in a command's row, and what each does. */
export const LAUNCHER_OPTIONS: readonly (readonly [flags: string, description: string])[] = [
  ['--choose', 'choose libraries by hand on the terminal, then start the program'],
  ['--explain', 'show every library, who needs it and which file serves it; start nothing'],
  ['--rehash', "read the program's content again, then start it"],
  ['--refresh', 'choose the libraries again, then start it'],
  ['--strategy <name>', 'start it this way from now on; auto takes that back'],
  ['--argv0 <name>', 'what the program is told as its own name'],
  ['--help', 'show the help'],
  ['--version', 'show the version'],
];
