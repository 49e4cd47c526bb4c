// The commands about sharing, settings and roots; each is loaded when it is asked for.
import { type CommandRow, isThere, JSON_OPTION, valuesOf } from './command-row.ts';

export const SHARING_COMMANDS: readonly CommandRow[] = [
  {
    usage: 'publish <programs...>',
    summary: 'copy the libraries of programs to a binary cache, and signed fingerprints to a directory',
    options: [
      ['--to <store-url>', 'a store or binary cache of Nix: file:///srv/cache, ssh-ng://host, s3://bucket'],
      ['--fingerprints <directory>', 'what a web server or a git repository serves as a source'],
      ['--key <file>', 'the secret key that signs the fingerprints'],
      JSON_OPTION,
    ],
    run: async (programs, { to, fingerprints, key, json }, { context }) => {
      const { publishCommand } = await import('./publish.ts');
      const options = {
        to: valuesOf(to).at(-1),
        fingerprints: valuesOf(fingerprints).at(-1),
        key: valuesOf(key).at(-1),
        json: isThere(json),
      };
      await publishCommand(programs, options, context);
    },
  },
  {
    usage: 'pull <program>',
    summary: 'take the fingerprint of a program from the configured sources, now',
    options: [JSON_OPTION],
    run: async ([program = ''], { json }, { context }) => {
      const { pullCommand } = await import('./pull.ts');
      await pullCommand(program, { json: isThere(json) }, context);
    },
  },
  {
    usage: 'config',
    summary: 'show every setting, its value and where that comes from',
    options: [JSON_OPTION],
    run: async (_, { json }, { context }) => {
      const { configCommand } = await import('./config.ts');
      await configCommand({ json: isThere(json) }, context);
    },
  },
  {
    usage: 'roots',
    summary: 'show what is pinned, for which program, and how much of the store that keeps',
    options: [JSON_OPTION],
    run: async (_, { json }, { context }) => {
      const { rootsCommand } = await import('./roots.ts');
      await rootsCommand({ json: isThere(json) }, context);
    },
  },
  {
    usage: 'prune',
    summary: 'drop the roots of programs that are gone or changed, and what was left behind',
    options: [
      ['--unused <days>', 'also of programs that you did not start for so many days'],
      ['--dry-run', 'only say what would be dropped'],
      JSON_OPTION,
    ],
    run: async (_, { unused, dryRun, json }, { context }) => {
      const { pruneCommand } = await import('./prune.ts');
      const options = {
        unused: valuesOf(unused).at(-1),
        dryRun: isThere(dryRun),
        json: isThere(json),
      };
      await pruneCommand(options, context);
    },
  },
];
