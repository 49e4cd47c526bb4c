// What may follow each command → the tables of shell-hooks/complete.zsh.
import { type Completed, type CompletedOption, completedOption, type Kind } from './completion-table.ts';
import { LAUNCHER_OPTIONS } from './launcher-options.ts';

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** Colons and brackets end what stands before them in a spec of _arguments (zshcompsys(1)). */
function escaped(text: string): string {
  return text.replace(/[\\:[\]]/g, '\\$&');
}

const ACTIONS: Readonly<Record<Extract<Kind, string>, string>> = {
  file: '_files',
  directory: '_files -/',
  shim: '__nix_foreign_shims',
  registered: '__nix_foreign_registered',
  command: '__nix_foreign_commands',
  text: ' ',
};

function actionOf(kind: Kind): string {
  return typeof kind === 'string' ? ACTIONS[kind] : `(${kind.join(' ')})`;
}

function messageOf(kind: Kind): string {
  return typeof kind === 'string' ? kind : 'value';
}

/** One spec for each name; `*` lets an option with a value come again. */
function optionSpecs({ names, description, value }: CompletedOption): readonly string[] {
  const tail = value === undefined ? '' : `:${messageOf(value)}:${actionOf(value)}`;
  const mark = value === undefined ? `(${names.join(' ')})` : '*';
  const assigned = (name: string) => (value === undefined ? '' : name.startsWith('--') ? '=' : '+');
  return names.map((name) => quoted(`${mark}${name}${assigned(name)}[${escaped(description)}]${tail}`));
}

function described(words: Completed['words']): string {
  return words.map(([word, text]) => quoted(`${word}:${escaped(text)}`)).join(' ');
}

/** The last kind also stands for the arguments behind it. */
function argumentSpecs(kinds: readonly Kind[]): readonly string[] {
  return kinds.map((kind, i) =>
    quoted(`${i === kinds.length - 1 ? '*' : i + 1}:${messageOf(kind)}:${actionOf(kind)}`),
  );
}

function caseOf({ path, words, options, arguments: kinds }: Completed): string {
  const specs = options.flatMap(optionSpecs);
  if (words.length > 0)
    return `    ${quoted(path)}) commands=(${described(words)}) && __nix_foreign_group ${quoted(path)} ${specs.join(' ')} ;;`;
  return `    ${quoted(path)}) _arguments -s -S : ${[...specs, ...argumentSpecs(kinds)].join(' ')} ;;`;
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
