// What may follow each command → the tables of shell-hooks/complete.bash, .fish and .zsh.
import {
  type Completed,
  type CompletedOption,
  completedOption,
  LAUNCHER_OPTIONS,
  type ValueKind,
} from './completion-table.ts';

/** Words that come from the table are plain: letters, digits and dashes. */
function kindText(kind: ValueKind, commands: readonly string[]): string {
  if (kind === 'command') return `words:${commands.join(',')}`;
  return typeof kind === 'string' ? kind : `words:${kind.join(',')}`;
}

function optionsText(options: readonly CompletedOption[]): string {
  return options
    .flatMap(({ names, value }) =>
      names.map((name) => (value === undefined ? name : `${name}=${kindText(value, [])}`)),
    )
    .join(' ');
}

export function bashTables(completed: readonly Completed[]): Readonly<Record<string, string>> {
  const commands = (completed[0]?.words ?? []).map(([word]) => word);
  const cases = completed.map((each) => {
    const words = each.words.map(([word]) => word).join(' ');
    const kinds = each.arguments.map((kind) => kindText(kind, commands)).join(' ');
    return `    '${each.path}') words='${words}' options='${optionsText(each.options)}' arguments='${kinds}' ;;`;
  });
  return { cases: cases.join('\n'), launcher: optionsText(LAUNCHER_OPTIONS.map(completedOption)) };
}

function fishQuoted(text: string): string {
  return `'${text.replace(/['\\]/g, '\\$&')}'`;
}

/** What `complete` is told of a value or an argument. */
function offerOf(kind: ValueKind, commands: readonly string[]): string {
  if (typeof kind !== 'string') return `-x -a ${fishQuoted(kind.join(' '))}`;
  const offers: Readonly<Record<typeof kind, string>> = {
    file: '-r -F',
    directory: "-x -a '(__fish_complete_directories)'",
    shim: "-x -a '(_nix_foreign_shims)'",
    registered: "-x -a '(_nix_foreign_registered)'",
    command: `-x -a ${fishQuoted(commands.join(' '))}`,
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
  return `complete -c ${command} -n ${fishQuoted(condition)} ${flags.join(' ')}${offer} -d ${fishQuoted(description)}`;
}

function linesOf(
  { path, words, options, arguments: kinds }: Completed,
  commands: readonly string[],
): string[] {
  const at = `_nix_foreign_at ${path}`.trim();
  const atEnd = `_nix_foreign_at_end ${path}`.trim();
  const complete = 'complete -c nix-foreign -n';
  return [
    ...words.map(([word, text]) => `${complete} ${fishQuoted(atEnd)} -a ${word} -d ${fishQuoted(text)}`),
    ...options.map((option) => optionLine('nix-foreign', words.length > 0 ? atEnd : at, option)),
    // Which of the arguments it is does not matter: their kinds are alike.
    ...[...new Set(kinds.map((kind) => offerOf(kind, commands)))]
      .filter((offer) => offer !== '-x')
      .map((offer) => `${complete} ${fishQuoted(at)} ${offer.replace('-r -F', '-F')}`),
  ];
}

export function fishTables(completed: readonly Completed[]): Readonly<Record<string, string>> {
  const commands = (completed[0]?.words ?? []).map(([word]) => word);
  const options = LAUNCHER_OPTIONS.map(completedOption);
  return {
    commands: completed.flatMap((each) => linesOf(each, commands)).join('\n'),
    launcher: options
      .map((each) => optionLine('nix-run-foreign', '_nix_run_foreign_before', each))
      .join('\n'),
    valued: options.flatMap(({ names, value }) => (value === undefined ? [] : names)).join(' '),
  };
}

function zshQuoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** Colons and brackets end what stands before them in a spec of _arguments (zshcompsys(1)). */
function escaped(text: string): string {
  return text.replace(/[\\:[\]]/g, '\\$&');
}

const ACTIONS: Readonly<Record<Extract<ValueKind, string>, string>> = {
  file: '_files',
  directory: '_files -/',
  shim: '_nix_foreign_shims',
  registered: '_nix_foreign_registered',
  command: '_nix_foreign_commands',
  text: ' ',
};

function actionOf(kind: ValueKind): string {
  return typeof kind === 'string' ? ACTIONS[kind] : `(${kind.join(' ')})`;
}

function messageOf(kind: ValueKind): string {
  return typeof kind === 'string' ? kind : 'value';
}

/** One spec for each name; `*` lets an option with a value come again. */
function optionSpecs({ names, description, value }: CompletedOption): readonly string[] {
  const tail = value === undefined ? '' : `:${messageOf(value)}:${actionOf(value)}`;
  const mark = value === undefined ? `(${names.join(' ')})` : '*';
  const assigned = (name: string) => (value === undefined ? '' : name.startsWith('--') ? '=' : '+');
  return names.map((name) => zshQuoted(`${mark}${name}${assigned(name)}[${escaped(description)}]${tail}`));
}

function described(words: Completed['words']): string {
  return words.map(([word, text]) => zshQuoted(`${word}:${escaped(text)}`)).join(' ');
}

/** The last kind also stands for the arguments behind it. */
function argumentSpecs(kinds: readonly ValueKind[]): readonly string[] {
  return kinds.map((kind, i) =>
    zshQuoted(`${i === kinds.length - 1 ? '*' : i + 1}:${messageOf(kind)}:${actionOf(kind)}`),
  );
}

function caseOf({ path, words, options, arguments: kinds }: Completed): string {
  const specs = options.flatMap(optionSpecs);
  if (words.length > 0)
    return `    ${zshQuoted(path)}) commands=(${described(words)}) && _nix_foreign_group ${zshQuoted(path)} ${specs.join(' ')} ;;`;
  return `    ${zshQuoted(path)}) _arguments -s -S : ${[...specs, ...argumentSpecs(kinds)].join(' ')} ;;`;
}

export function zshTables(completed: readonly Completed[]): Readonly<Record<string, string>> {
  const launcher = LAUNCHER_OPTIONS.map(completedOption)
    // The launcher takes no `--strategy=NAME`.
    .flatMap((option) => optionSpecs(option).map((spec) => spec.replace('=[', '[')))
    .map((spec) => `      ${spec} \\`);
  return {
    commands: `    ${described(completed[0]?.words ?? [])}`,
    cases: completed.map(caseOf).join('\n'),
    launcher: launcher.join('\n'),
  };
}
