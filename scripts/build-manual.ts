// man/*.1 (prose) and the tables of commands, options and settings → the manual pages, in mdoc(7).
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { COMMANDS, GROUPS } from '../src/cli/commands.ts';
import { LAUNCHER_OPTIONS } from '../src/cli/completions/completion-table.ts';
import { HEADINGS } from '../src/cli/help-text.ts';
import { DEFAULTS, KEYS, MEANINGS, VARIABLES } from '../src/config/settings.ts';

const PROSE = path.resolve(import.meta.dirname, '../man');

/** Environment variables, in the order of the page. Those of settings come from their table. */
const ENVIRONMENT: readonly (readonly [name: string, meaning: string, pages: readonly string[]])[] = [
  ['NIX_RUN_FOREIGN_DEBUG', 'With 1: tells why something was looked for again.', ['both']],
  [
    'NIX_RUN_FOREIGN_STRATEGY',
    'A strategy for plans that are made while it is set, where --strategy says nothing.',
    ['both'],
  ],
  [
    'NIX_RUN_FOREIGN_LIBRARY_ORDER',
    "With user-first: the libraries of the user's LD_LIBRARY_PATH come before the chosen ones where the launcher is the interpreter.",
    ['both'],
  ],
  ['NIX_RUN_FOREIGN_RESOLVER', 'The nix-foreign to use, an absolute path.', ['nix-run-foreign']],
  ['NIX_RUN_FOREIGN_HOOK', 'Set by the shell hook: the shell that has it and the launcher.', ['nix-foreign']],
  ...KEYS.flatMap((key) => {
    const name = VARIABLES[key];
    return name === undefined
      ? []
      : ([[name, `Stands above ${key} of the configuration; empty counts as not set.`, ['both']]] as const);
  }),
  [
    'XDG_CACHE_HOME, XDG_STATE_HOME, XDG_CONFIG_HOME, XDG_DATA_HOME',
    'Where the directories of the user lie; they count where they are absolute and nobody else can change where they lead.',
    ['both'],
  ],
  [
    'NIX_STORE_DIR, NIX_STORE, NIX_STATE_DIR, NIX_REMOTE',
    'The store, as they tell Nix itself; NIX_STORE counts where NIX_STORE_DIR is not set.',
    ['both'],
  ],
  ['SHELL', 'The shell whose hook is printed where none is named.', ['nix-foreign']],
];

/** Text of a page: no sign of it means anything to roff. */
function plain(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(/^([.'])/, '\\&$1');
}

/** A word of a macro line: what would be a macro or a delimiter there is none. */
function argument(text: string): string {
  const safe = plain(text).replaceAll('"', '\\(dq');
  return /[\s]/.test(safe) ? `"${safe}"` : safe.replace(/^([A-Z][a-z])$|^([[\](),.;:?!|])$/, '\\&$&');
}

function sentence(text: string): string {
  const whole = `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;
  return plain(/[.?!]$/.test(whole) ? whole : `${whole}.`);
}

/** @example flagsText('-o, --output <file>') → `Fl o , Fl \-output Ar file` */
function flagsText(flags: string): string {
  const value = /<(.*)>/.exec(flags)?.[1];
  const names = flags
    .replace(/ <.*/, '')
    .split(', ')
    .map((name) => `Fl ${plain(name.slice(1))}`);
  return `${names.join(' , ')}${value === undefined ? '' : ` Ar ${argument(value)}`}`;
}

function parametersText(usage: string): string {
  return (usage.match(/[<[][^\]>]+[\]>]/g) ?? [])
    .map((each) => {
      const name = argument(each.replace(/[[\]<>.]/g, ''));
      const more = each.includes('...') ? ' ...' : '';
      return each.startsWith('[') ? ` Oo Ar ${name}${more} Oc` : ` Ar ${name}${more}`;
    })
    .join('');
}

function itemsText(options: readonly (readonly [string, string])[]): string {
  return options
    .flatMap(([flags, description]) => [`.It ${flagsText(flags)}`, sentence(description)])
    .join('\n');
}

const nameOf = (usage: string): string => usage.replace(/ [<[].*/, '');

/** The commands of a heading of the help; what no heading has is below a heading of its own. */
function commandsText(): string {
  const named = new Set(HEADINGS.flatMap(([, commands]) => commands.map(([name]) => name)));
  const firstWord = (usage: string) => usage.split(' ')[0] ?? '';
  const rest = new Set(COMMANDS.map(({ usage }) => firstWord(usage)).filter((name) => !named.has(name)));
  const all = [
    ...HEADINGS,
    ...(rest.size === 0 ? [] : [['Others', [...rest].map((name) => [name])] as const]),
  ];
  return all
    .flatMap(([heading, commands]) => [
      `.Ss ${argument(heading)}`,
      ...commands.map(([name], i) => groupText(name, i === 0 ? [] : ['.Pp'])),
    ])
    .join('\n');
}

/** `before`: what parts it from the one before. */
function groupText(name: string, before: readonly string[]): string {
  const rows = COMMANDS.filter(({ usage }) => usage.split(' ')[0] === name);
  const lead = GROUPS[name] === undefined ? [] : [...before, sentence(GROUPS[name])];
  const items = rows.flatMap(({ usage, summary, options }) => {
    const own = options.filter(([flags]) => flags !== '--json');
    const list = own.length === 0 ? [] : ['.Bl -tag -width Ds', itemsText(own), '.El'];
    return [`.It Ic ${plain(nameOf(usage))}${parametersText(usage)}`, sentence(summary), ...list];
  });
  return [...lead, '.Bl -tag -width Ds', ...items, '.El'].join('\n');
}

function settingsText(): string {
  const items = KEYS.flatMap((key) => [
    `.It Li ${argument(key)} No = Li ${argument(JSON.stringify(DEFAULTS[key])).replaceAll(',', ',\\:')}`,
    sentence(MEANINGS[key]),
  ]);
  return ['.Bl -tag -width Ds', ...items, '.El'].join('\n');
}

function variablesText(page: string): string {
  return ENVIRONMENT.filter(([, , pages]) => pages.includes('both') || pages.includes(page))
    .flatMap(([names, meaning]) => [`.It Ev ${names.split(', ').join(' , Ev ')}`, sentence(meaning)])
    .join('\n');
}

/** Pages by their file's name, e.g. `nix-foreign.1`. */
export function manualPages(): Readonly<Record<string, string>> {
  const pages = readdirSync(PROSE).filter((name) => name.endsWith('.1'));
  return Object.fromEntries(
    pages.map((name) => {
      const tables: Readonly<Record<string, string>> = {
        commands: commandsText(),
        settings: settingsText(),
        variables: variablesText(name.replace(/\.1$/, '')),
        launcher: itemsText(LAUNCHER_OPTIONS),
      };
      const prose = readFileSync(path.join(PROSE, name), 'utf8');
      return [name, prose.replace(/@([a-z]+)@/g, (whole, table: string) => tables[table] ?? whole)];
    }),
  );
}

export function writeManual(directory: string): void {
  mkdirSync(directory, { recursive: true });
  for (const [name, text] of Object.entries(manualPages())) writeFileSync(path.join(directory, name), text);
}
