// The command that finishes an installation by npm; it is loaded when it is asked for.
import { type CommandRow, isThere, JSON_OPTION, valuesOf } from './command-row.ts';

export const SETUP_COMMANDS: readonly CommandRow[] = [
  {
    usage: 'setup',
    summary: 'compile the launcher, and let nix-run-foreign be it: once after an installation by npm',
    options: [
      ['--force', 'also where it is there already'],
      ['--cc <compiler>', 'gcc or clang, by name or path; $CC or cc without it'],
      JSON_OPTION,
    ],
    run: async (_, { force, cc, json }, edge) => {
      const { setupCommand } = await import('./setup.ts');
      await setupCommand({ force: isThere(force), cc: valuesOf(cc).at(-1), json: isThere(json) }, edge);
    },
  },
];
