// The commands under headings → the help of `nix-foreign` itself, which fits a screen of 24 lines.
import type { CommandRow } from './command.ts';

/** Every word that may follow `nix-foreign`, with a line of at most 54 characters. */
export const HEADINGS: readonly (readonly [
  heading: string,
  commands: readonly (readonly [name: string, line: string])[],
])[] = [
  [
    'Programs',
    [
      ['resolve', 'find, check and pin the libraries of a program'],
      ['explain', 'every library, who needs it, and why that file'],
      ['choose', 'choose libraries by hand'],
      ['graph', 'draw the libraries, or the conflict'],
      ['ldd', "its libraries as glibc's ldd prints them"],
      ['package', 'a Nix expression for a program, as a start'],
      ['list', 'programs that have a launch plan; drop one'],
      ['forget', 'remove the plan and the GC root of programs'],
    ],
  ],
  [
    'By name',
    [
      ['hook', 'foreign programs run by their own names in a shell'],
      ['dirs', 'directories whose programs run by name'],
      ['patch', 'write the libraries into a program; take that back'],
      ['unpatch', 'make patched programs again what they were'],
      ['shim', 'commands for PATH and entries for the menu'],
      ['binfmt', 'rules of the kernel'],
    ],
  ],
  [
    'Sharing',
    [
      ['fingerprint', 'export, import, show, verify, diff or sign one'],
      ['publish', 'libraries to a binary cache, fingerprints to a site'],
      ['pull', 'ask the configured sources for a fingerprint'],
    ],
  ],
  [
    'Upkeep',
    [
      ['roots', 'what is pinned, how large; drop what is not needed'],
      ['prune', 'drop the roots of programs that are gone'],
      ['index', 'file indexes: which package has a library'],
      ['config', 'every setting, its value and where that comes from'],
      ['doctor', 'what this machine, or a program, lacks; what to type'],
      ['completions', 'what a shell evaluates to complete these words'],
    ],
  ],
];

/** Commands that share a line of the screen with the one before them. */
const SHARING = new Set(['forget', 'unpatch', 'dirs', 'prune']);

/** Columns in front of a command's name, and of its line. */
const HEADING = 11;
const NAME = 15;

function rowsOf(
  heading: string,
  commands: readonly (readonly [name: string, line: string])[],
): (readonly [heading: string, name: string, line: string])[] {
  return commands
    .filter(([name]) => !SHARING.has(name))
    .map(([name, line], i) => {
      const next = commands[commands.findIndex(([each]) => each === name) + 1];
      const shares = next !== undefined && SHARING.has(next[0]);
      return [i === 0 ? heading : '', shares ? `${name}, ${next[0]}` : name, line];
    });
}

/** `others`: words that no heading has; they are shown with what the table says of them. */
export function helpText(others: readonly (readonly [name: string, line: string])[]): string {
  const known = HEADINGS.flatMap(([heading, commands]) => rowsOf(heading, commands));
  const rest = others.map(([name, line], i) => [i === 0 ? 'Others' : '', name, line.slice(0, 53)] as const);
  const lines = [...known, ...rest].map(
    ([heading, name, line]) => `${heading.padEnd(HEADING)}${name.padEnd(NAME)}${line}`,
  );
  return [
    'Usage: nix-foreign COMMAND [OPTION...]  Start programs: nix-run-foreign PROGRAM',
    ...lines,
    'Each takes --help and --json. See also: nix-foreign --version, man nix-foreign',
    '',
  ].join('\n');
}

/** Of one command with many options: on a screen of 24 lines with the prompt, 80 columns wide. */
export function screenText({
  usage,
  summary,
  screen = [],
}: Pick<CommandRow, 'usage' | 'summary' | 'screen'>): string {
  const rows = [...screen, ['-h, --help', 'this; more is in: man nix-foreign'] as const];
  const width = Math.max(...rows.map(([flags]) => flags.length));
  const [name = '', ...parameters] = usage.split(' ');
  return [
    `Usage: nix-foreign ${name} [options] ${parameters.join(' ')}`,
    summary,
    '',
    ...rows.map(([flags, line]) => `  ${flags.padEnd(width)}  ${line}`),
    '',
  ].join('\n');
}
