// What may follow each command → the tables of shell-hooks/complete.fish.
import { type Completed, type CompletedOption, completedOption, type Kind } from './completion-table.ts';
import { LAUNCHER_OPTIONS } from './launcher-options.ts';

function quoted(text: string): string {
  return `'${text.replace(/['\\]/g, '\\$&')}'`;
}

/** What `complete` is told of a value or an argument. */
function offerOf(kind: Kind, commands: readonly string[]): string {
  if (typeof kind !== 'string') return `-x -a ${quoted(kind.join(' '))}`;
  const offers: Readonly<Record<typeof kind, string>> = {
    file: '-r -F',
    directory: "-x -a '(__fish_complete_directories)'",
    shim: "-x -a '(__nix_foreign_shims)'",
    registered: "-x -a '(__nix_foreign_registered)'",
    command: `-x -a ${quoted(commands.join(' '))}`,
    text: '-x',
  };
  return offers[kind];
}

function optionLine(
  command: string,
  condition: string,
  { names, description, value }: CompletedOption,
): string {
  const flags = names.map((name) => (name.startsWith('--') ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`));
  const offer = value === undefined ? '' : ` ${offerOf(value, [])}`;
  return `complete -c ${command} -n ${quoted(condition)} ${flags.join(' ')}${offer} -d ${quoted(description)}`;
}

function linesOf(
  { path, words, options, arguments: kinds }: Completed,
  commands: readonly string[],
): string[] {
  const at = `__nix_foreign_at ${path}`.trim();
  const atEnd = `__nix_foreign_at_end ${path}`.trim();
  const complete = 'complete -c nix-foreign -n';
  return [
    ...words.map(([word, text]) => `${complete} ${quoted(atEnd)} -a ${word} -d ${quoted(text)}`),
    ...options.map((option) => optionLine('nix-foreign', words.length > 0 ? atEnd : at, option)),
    // Which of the arguments it is does not matter: their kinds are alike.
    ...[...new Set(kinds.map((kind) => offerOf(kind, commands)))]
      .filter((offer) => offer !== '-x')
      .map((offer) => `${complete} ${quoted(at)} ${offer.replace('-r -F', '-F')}`),
  ];
}

export function fishTables(completed: readonly Completed[]): Readonly<Record<string, string>> {
  const commands = (completed[0]?.words ?? []).map(([word]) => word);
  const options = LAUNCHER_OPTIONS.map(completedOption);
  return {
    commands: completed.flatMap((each) => linesOf(each, commands)).join('\n'),
    launcher: options
      .map((each) => optionLine('nix-run-foreign', '__nix_run_foreign_before', each))
      .join('\n'),
    valued: options.flatMap(({ names, value }) => (value === undefined ? [] : names)).join(' '),
  };
}
