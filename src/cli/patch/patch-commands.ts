// The commands that write into programs, and take that back; each is loaded when it is asked for.
import { type CommandRow, isThere, JSON_OPTION, type Options, valuesOf } from '../command.ts';

const HARD_LINKS = ['--hard-links <which>', 'other names of it: refuse (the default), all or one'] as const;

/** `--no-lift` is said as `lift` being false. */
const isLeftOut = (option: Options[string]): boolean => (option as unknown) === false;

export const PATCH_COMMANDS: readonly CommandRow[] = [
  {
    usage: 'patch <programs...>',
    summary: 'write the libraries into a program, so that it starts with no help',
    options: [
      ['-o, --output <file>', 'leave it as it is and write another'],
      ['--tree', 'programs and libraries of a directory; -o names one for a patched copy of it'],
      ['--strict', 'with --tree: all of them or none'],
      ['-n, --dry-run', 'write nothing, say what would be; 1: nothing to do'],
      ['--diff', 'the dry run, with every byte before and after'],
      ['-i, --interactive', 'choose libraries by hand first, as choose does'],
      ['-y, --yes', 'do not ask on a terminal'],
      ['--user-libraries-first', 'LD_LIBRARY_PATH before the chosen libraries'],
      ['--pin <soname=path>', 'take this file for a library, as choose does'],
      ['--exclude <pattern>', 'never take store objects named like this'],
      ['--prefer <name>', 'take store objects whose names begin with this'],
      ['--no-rename', 'keep needed names that another version serves'],
      ['--no-lift', 'name what the program itself needs only'],
      ['--plain', "the loader's own path as its interpreter"],
      ['--method <method>', 'auto, in-place, append, insert or interpreter: it names the launcher only'],
      HARD_LINKS,
      ['--try <words>', 'run it before and after with these words, and compare'],
      ['--check', 'only say what is patched, and what is gone'],
      ['--show', 'only say what it names now and named before, and the file behind each name'],
      ['--repair', 'root and fetch again what it names'],
      ['--system', 'with a GC root for everybody on this machine (as root)'],
      JSON_OPTION,
    ],
    run: async (programs, options, { context, setExitStatus }) => {
      const { patchCommand } = await import('./patch.ts');
      const last = (name: string) => valuesOf(options[name]).at(-1);
      const status = await patchCommand(
        programs,
        {
          output: last('output'),
          method: last('method'),
          hardLinks: last('hardLinks'),
          trial: last('try'),
          words: {
            pin: valuesOf(options['pin']),
            add: [],
            exclude: valuesOf(options['exclude']),
            prefer: valuesOf(options['prefer']),
            reset: false,
          },
          set: new Set(Object.keys(options).filter((name) => isThere(options[name]))),
          without: new Set(Object.keys(options).filter((name) => isLeftOut(options[name]))),
        },
        context,
      );
      if (status !== 0) setExitStatus(status);
    },
  },
  {
    usage: 'unpatch [programs...]',
    summary: 'make patched programs again what they were, byte for byte',
    options: [
      ['-o, --output <file>', 'leave it as it is and write another'],
      ['--tree', 'every patched file of a directory'],
      ['--all', 'every patched program that is known'],
      ['-n, --dry-run', 'write nothing'],
      HARD_LINKS,
      JSON_OPTION,
    ],
    run: async (programs, options, { context, setExitStatus }) => {
      const { unpatchCommand } = await import('./unpatch.ts');
      const status = await unpatchCommand(
        programs,
        {
          output: valuesOf(options['output']).at(-1),
          hardLinks: valuesOf(options['hardLinks']).at(-1),
          isTree: isThere(options['tree']),
          isAll: isThere(options['all']),
          isDry: isThere(options['dryRun']),
          isJson: isThere(options['json']),
        },
        context,
      );
      if (status !== 0) setExitStatus(status);
    },
  },
];
