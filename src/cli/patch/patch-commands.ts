// The commands that write into programs, and take that back; each is loaded when it is asked for.
import { type CommandRow, isThere, JSON_OPTION, type Options, valuesOf } from '../command.ts';

const HARD_LINKS = ['--hard-links <which>', 'other names of it: refuse (the default), all or one'] as const;

/** Those without a value; `--no-lift`, which is said as `lift` being false, as `noLift`. */
function givenIn(options: Options): Set<string> {
  const names = Object.keys(options);
  const leftOut = names.filter((name) => options[name] === false);
  return new Set([
    ...names.filter((name) => isThere(options[name])),
    ...leftOut.map((name) => `no${name.slice(0, 1).toUpperCase()}${name.slice(1)}`),
  ]);
}

export const PATCH_COMMANDS: readonly CommandRow[] = [
  {
    usage: 'patch <programs...>',
    summary: 'write the libraries into a program, so that it starts with no help',
    screen: [
      ['-o, --output <file>', 'leave it as it is and write another'],
      ['--tree', 'programs and libraries of a directory'],
      ['--strict', 'with --tree: all of them or none'],
      ['-n, --dry-run, --diff', 'only say what would be written; with every byte'],
      ['-i, --interactive', 'choose libraries by hand first, as choose does'],
      ['-y, --yes', 'do not ask on a terminal'],
      ['--pin <soname=path>', 'as choose does: take this file'],
      ['--exclude <pattern>', 'as choose does: never take objects named like this'],
      ['--prefer <name>', 'as choose does: rather take objects named like this'],
      ['--try <words>', 'run it before and after with these words; compare'],
      ['--check, --show, --repair', 'is it whole; what it names; fetch that again'],
      ['--user-libraries-first', 'LD_LIBRARY_PATH before the chosen libraries'],
      ['--no-rename', 'leave DT_NEEDED names that another version serves'],
      ['--no-lift', 'add no names of the set to its DT_NEEDED'],
      ['--plain', "the loader's own path as its interpreter"],
      ['--method <method>', 'auto, in-place, append, insert or interpreter'],
      ['--hard-links <which>', 'other names of it: refuse (the default), all or one'],
      ['--system', 'with a GC root for everybody (as root)'],
      ['--json', 'print JSON'],
    ],
    options: [
      ['-o, --output <file>', 'leave it as it is and write another'],
      [
        '--tree',
        'patch the programs and libraries of a directory; -o names a directory that is not there, for a patched copy of it',
      ],
      ['--strict', 'with --tree: all of them or none'],
      [
        '-n, --dry-run',
        'write nothing, say what would be written and where; the exit status is 1 where nothing is to be done, 126 where it is not possible',
      ],
      ['--diff', 'the dry run, with every byte before and after'],
      ['-i, --interactive', 'choose libraries by hand first, as choose does'],
      ['-y, --yes', 'do not ask on a terminal'],
      ['--user-libraries-first', 'LD_LIBRARY_PATH before the chosen libraries'],
      ['--pin <soname=path>', 'take this file for a library, as choose does'],
      ['--exclude <pattern>', 'never take store objects named like this'],
      ['--prefer <name>', 'take store objects whose names begin with this'],
      ['--no-rename', 'leave DT_NEEDED names that another version serves'],
      [
        '--no-lift',
        'add no names of the set to its DT_NEEDED; a library of the store with a run path of its own may then take others than the launcher would',
      ],
      ['--plain', "the loader's own path as its interpreter, not the farm's link to it"],
      [
        '--method <method>',
        'in-place: no byte is added; append: one segment more, at the end; insert: in front of what is appended to the program; interpreter: the name of the launcher only; auto, the default: what leaves most as it is',
      ],
      HARD_LINKS,
      ['--try <words>', 'run it before and after with these words, and compare status and output'],
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
            drop: [],
            reset: false,
          },
          set: givenIn(options),
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
