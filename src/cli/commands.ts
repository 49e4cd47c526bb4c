// The words of `nix-foreign` → the command they name. Help is printed from the same table.
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { Command } from 'commander';
import { MEANINGS } from '../config/settings.ts';
import { printJson, reportFailure } from '../host/output.ts';
import { fileWord, shellWord } from '../host/shell-words.ts';
import type { Context } from '../resolve/context.ts';
import { chooseCommand } from './choose/choose.ts';
import {
  type CommandRow,
  type EntryProcess,
  isThere,
  JSON_OPTION,
  jsonFailure,
  type Options,
  valuesOf,
} from './command.ts';
import {
  BINFMT_COMMANDS,
  FINGERPRINT_COMMANDS,
  HOOK_COMMANDS,
  INDEX_COMMANDS,
  SHARING_COMMANDS,
  SHIM_COMMANDS,
} from './command-groups.ts';
import { doctorCommand } from './doctor/doctor.ts';
import { explainCommand } from './explain/explain.ts';
import { forgetCommand } from './forget.ts';
import { graphCommand } from './graph/graph.ts';
import { HEADINGS, helpText, screenText } from './help-text.ts';
import { listCommand } from './list.ts';
import { PATCH_COMMANDS } from './patch/patch-commands.ts';
import { namedProgram } from './program-argument.ts';
import { resolveCommand } from './resolve.ts';
import { failureOfParsing, refuseBesideAll, usageError } from './usage-error.ts';

function withFetch(context: Context, fetch: Options[string]): Context {
  return typeof fetch === 'boolean' ? { ...context, fetch: fetch ? 'always' : 'never' } : context;
}

/** Such an option changes how a plan is made, or for whom, not which libraries. @throws ForeignError `usage`. */
function refuseBesideDryRun(options: Options): void {
  const unheeded = ['rehash', 'system', 'strict', 'strategy'].find((each) => options[each] !== undefined);
  if (unheeded === undefined) return;
  throw usageError(
    `resolve: --dry-run tells of libraries alone, and --${unheeded} changes nothing of that`,
    'leave one of them out; --dry-run goes with --refresh, --fetch, --no-fetch and --json',
  );
}

/** Every command: what the help, the parser and the tests know of it. */
export const COMMANDS: readonly CommandRow[] = [
  {
    usage: 'resolve <program>',
    summary: 'find, check and pin the libraries of a program, ready for its next start',
    options: [
      ['--refresh', 'solve again even if a set is known'],
      ['--rehash', "read the program's content again"],
      ['--system', 'for everybody on this machine (as root)'],
      ['--strategy <name>', 'start it this way from now on: loader, namespace, patched ..., or auto'],
      ['--strict', MEANINGS.strict],
      ['--fetch', 'fetch libraries that the store lacks, whatever their size'],
      ['--no-fetch', 'fetch no library'],
      [
        '--dry-run',
        'only say what would be chosen and fetched, from the store and the index alone; a start takes a plan or a fingerprint that is there first',
      ],
      JSON_OPTION,
    ],
    run: async ([program = ''], options, entry) => {
      const { json, refresh, rehash, system, strict, strategy, fetch, dryRun } = options;
      const context = withFetch(entry.context, fetch);
      if (isThere(dryRun)) {
        refuseBesideDryRun(options);
        const { dryRunCommand } = await import('./dry-run.ts');
        return await dryRunCommand(namedProgram(program, context), isThere(json) ? 'json' : 'text', context);
      }
      return await resolveCommand(
        namedProgram(program, context),
        {
          json: isThere(json),
          refresh: isThere(refresh),
          rehash: isThere(rehash),
          system: isThere(system),
          strategy: valuesOf(strategy).at(-1),
        },
        isThere(strict) ? { ...context, strict: true } : context,
      );
    },
  },
  {
    usage: 'explain <program>',
    summary: 'show every library, who needs it, which file serves it, and how the program is started',
    options: [
      ['--why <soname>', 'the whole story of one library: who needs which versions, and why others lost'],
      JSON_OPTION,
    ],
    run: ([program = ''], { json, why }, { context }) =>
      explainCommand(
        namedProgram(program, context),
        { json: isThere(json), why: valuesOf(why).at(-1) },
        context,
      ),
  },
  {
    usage: 'choose <program>',
    summary:
      'choose libraries by hand; without options asks on a terminal, else shows what there is to choose',
    options: [
      ['--pin <soname=path>', 'take this file, or the one in this store object, for a library'],
      [
        '--add <soname[=path]>',
        'take a library although nothing names it, or this file of the program for it',
      ],
      ['--exclude <pattern>', "never take store objects named like this, e.g. 'openssl-1.*'"],
      ['--prefer <name>', 'take store objects whose names begin with this where that is possible'],
      ['--drop <name>', 'take one earlier choice back: its library, pattern or name'],
      ['--reset', 'forget all earlier choices'],
      JSON_OPTION,
    ],
    run: async (
      [program = ''],
      { pin, add, exclude, prefer, drop, reset, json },
      { context, setExitStatus },
    ) => {
      const words = {
        pin: valuesOf(pin),
        add: valuesOf(add),
        exclude: valuesOf(exclude),
        prefer: valuesOf(prefer),
        drop: valuesOf(drop),
        reset: isThere(reset),
      };
      const format = isThere(json) ? 'json' : 'text';
      setExitStatus(await chooseCommand(namedProgram(program, context), words, format, context));
    },
  },
  {
    usage: 'graph <program>',
    summary: 'draw the libraries of a program, or the conflict that keeps it from starting',
    options: [
      ['-o, --output <file>', 'write to this file instead of stdout; its ending can say the format'],
      ['--format <format>', 'one of svg (the default), dot, mermaid and json'],
      JSON_OPTION,
    ],
    run: ([program = ''], { output, format, json }, { context }) => {
      const asked = isThere(json) ? 'json' : valuesOf(format).at(-1);
      return graphCommand(namedProgram(program, context), asked, valuesOf(output).at(-1), context);
    },
  },
  {
    usage: 'ldd <programs...>',
    summary: "print the libraries of programs as glibc's ldd does: name, file, address",
    options: [JSON_OPTION],
    run: async (programs, { json }, { context, setExitStatus }) => {
      const { lddCommand } = await import('./ldd.ts');
      setExitStatus(await lddCommand(programs, isThere(json) ? 'json' : 'text', context));
    },
  },
  {
    usage: 'package <program>',
    summary: 'print a Nix expression for a program, as a start: libraries by their attributes of nixpkgs',
    options: [JSON_OPTION],
    run: async ([program = ''], { json }, { context }) => {
      const { packageCommand } = await import('./package.ts');
      await packageCommand(namedProgram(program, context), isThere(json) ? 'json' : 'text', context);
    },
  },
  {
    usage: 'list',
    summary: 'show the programs that have a launch plan',
    options: [JSON_OPTION],
    run: (_, { json }, { context }) => listCommand({ json: isThere(json) }, context),
  },
  {
    usage: 'forget [programs...]',
    summary: 'remove the plan and the GC root of programs',
    options: [
      ['--all', 'of every program'],
      ['--learned', 'forget only what was learned while they ran; their next start solves anew'],
      JSON_OPTION,
    ],
    run: async (programs, { all, learned, json }, { context, setExitStatus }) => {
      if (programs.length === 0 && !isThere(all))
        throw usageError('forget needs a program', 'name one of: nix-foreign list, or say --all');
      if (isThere(all)) refuseBesideAll('forget', programs);
      const failure = await forgetCommand(
        programs,
        { all: isThere(all), learned: isThere(learned), json: isThere(json) },
        context,
      );
      if (failure !== undefined) setExitStatus(reportFailure(failure));
    },
  },
  ...PATCH_COMMANDS,
  ...FINGERPRINT_COMMANDS,
  ...SHARING_COMMANDS,
  ...BINFMT_COMMANDS,
  ...SHIM_COMMANDS,
  ...HOOK_COMMANDS,
  ...INDEX_COMMANDS,
  {
    usage: 'doctor [program] [arguments...]',
    summary:
      'show what this machine offers, and what to do about each lack; or what a program and its children miss; with -- it runs the program, and says what that asked for and did not get',
    options: [JSON_OPTION],
    run: async ([program, ...words], { json }, entry) => {
      const named = program === undefined ? undefined : namedProgram(program, entry.context);
      const args = entry.runsProgram ? words : undefined;
      if (!entry.runsProgram && words.length > 0)
        throw usageError(
          'doctor: too many arguments',
          `its own arguments stand behind --: nix-foreign doctor ${fileWord(named ?? '')} -- ${words.map(shellWord).join(' ')}`,
        );
      const options = { json: isThere(json), program: named, args };
      if (!(await doctorCommand(options, entry))) entry.setExitStatus(1);
    },
  },
  {
    usage: 'completions [shell]',
    summary: 'print what bash, zsh or fish evaluates to complete the words of both commands',
    options: [JSON_OPTION],
    run: async ([shell], { json }, entry) => {
      const { completionsCommand } = await import('./completions/completions.ts');
      completionsCommand(shell, { json: isThere(json) }, COMMANDS, GROUPS, entry);
    },
  },
];

/** An option that may be given several times. */
function collect(value: string, earlier: readonly string[] = []): readonly string[] {
  return [...earlier, value];
}

/** `doctor PROGRAM -- ARGS`: behind the command and a program. */
function namesArguments(words: readonly string[]): boolean {
  const before = words.slice(1, Math.max(0, words.indexOf('--')));
  return before.some((word) => !word.startsWith('-'));
}

/** Also where the words cannot be parsed. */
function wantsJson(words: readonly string[]): boolean {
  const end = words.indexOf('--');
  return words.slice(0, end < 0 ? undefined : end).includes('--json');
}

/** `fingerprint export <program>`: words in front of the last are groups. */
const GROUP = /^([a-z-]+) (?=[a-z])/;

/** What several commands that share their first word are about. */
export const GROUPS: Readonly<Record<string, string>> = {
  binfmt: 'rules of the kernel by which foreign programs start without nix-run-foreign in front',
  shim: 'commands for PATH and entries for the menu that start foreign programs',
  dirs: 'directories whose programs run by name, through the shell hook',
  index: 'file indexes of nixpkgs: which package has a library that the store lacks',
  fingerprint: 'documents that let others start a program without a search',
};

/** The command that a usage belongs below, made when it is first asked for. */
function parentOf(program: Command, usage: string): Command {
  const name = GROUP.exec(usage)?.[1];
  if (name === undefined) return program;
  const known = program.commands.find((each) => each.name() === name);
  return (
    known ??
    program
      .command(name)
      .description(GROUPS[name] ?? '')
      .exitOverride()
  );
}

/** What no heading has is shown all the same. */
function otherCommands(program: Command): readonly (readonly [string, string])[] {
  const known = new Set(HEADINGS.flatMap(([, commands]) => commands.map(([name]) => name)));
  return program.commands
    .filter((each) => !known.has(each.name()))
    .map((each) => [each.name(), each.description()]);
}

/** `help shim add`, and `shim help add`, as `shim add --help`: commander's own commands of that name know no groups. */
function withoutHelpWord(words: readonly string[]): readonly string[] {
  const [first = '', second] = words;
  const isOfGroup = first in GROUPS && second === 'help';
  if (first !== 'help' && !isOfGroup) return words;
  const more = words.slice(isOfGroup ? 2 : 1);
  const named = [...(isOfGroup ? [first] : []), ...more.filter((word) => !word.startsWith('-'))];
  if (named.length === 0)
    return more.some((word) => /^(?:-V|--version)$/.test(word)) ? ['--version'] : ['--help'];
  const isInGroup = COMMANDS.some(({ usage }) => `${usage} `.startsWith(`${named.slice(0, 2).join(' ')} `));
  if (isInGroup && named.length > 1) return [...named.slice(0, 2), '--help'];
  return isOfGroup ? [first, '--help'] : ['help', ...named.slice(0, 1)];
}

/** `--version --json`: what the bundle holds, as the build left it beside it (CycloneDX 1.6). */
function printBillOfMaterials({ modules, version }: EntryProcess): void {
  const file = path.join(modules, 'sbom.json');
  if (existsSync(file)) process.stdout.write(readFileSync(file, 'utf8'));
  else printJson({ name: 'nix-run-foreign', version });
}

/** Parses and runs; with `--json` a failure is on stdout too. @throws ForeignError, to be reported. */
export async function runCommandLine(words: readonly string[], entry: EntryProcess): Promise<void> {
  if (words[0] === '--version' && words[1] === '--json') return printBillOfMaterials(entry);
  const program = new Command('nix-foreign')
    .version(`nix-foreign ${entry.version}`)
    .enablePositionalOptions() // behind a command --version is its own affair
    .exitOverride()
    .configureOutput({ writeErr: () => {} }); // reportFailure says what is wrong
  for (const { usage, summary, options, screen, run } of COMMANDS) {
    const command = parentOf(program, usage)
      .command(usage.replace(GROUP, ''))
      .description(summary)
      .exitOverride();
    for (const [flags, description] of options) {
      if (flags.includes('<')) command.option(flags, description, collect);
      else command.option(flags, description);
    }
    if (screen !== undefined) command.helpInformation = () => screenText({ usage, summary, screen });
    command.action((...parameters: unknown[]) => {
      const self = parameters.at(-1) as Command;
      return run(self.args, self.opts<Options>(), { ...entry, runsProgram: namesArguments(words) });
    });
  }
  program.helpInformation = () => helpText(otherCommands(program));
  try {
    await program.parseAsync(withoutHelpWord(words), { from: 'user' });
  } catch (error) {
    const failure = failureOfParsing(error, words, COMMANDS);
    if (failure === undefined) return entry.setExitStatus(0);
    if (wantsJson(words)) printJson(jsonFailure(failure));
    throw failure;
  }
}
