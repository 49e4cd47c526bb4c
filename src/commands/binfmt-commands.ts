// The commands about binfmt_misc; they are loaded when they are asked for.
import { type CommandRow, isThere, JSON_OPTION } from './command-row.ts';

/** `nix-foreign binfmt ...`. */
export const BINFMT_COMMANDS: readonly CommandRow[] = [
  {
    usage: 'binfmt status',
    summary: 'show which rules are registered, and which programs of this machine they would match',
    options: [JSON_OPTION],
    run: async (_, { json }, edge) => {
      const { machineOf, showStatus } = await import('./binfmt.ts');
      showStatus(machineOf(edge), { json: isThere(json) });
    },
  },
  {
    usage: 'binfmt install',
    summary: 'register the rules until the next restart (as root), unless native programs match',
    options: [JSON_OPTION],
    run: async (_, { json }, edge) => {
      const { installRules, machineOf } = await import('./binfmt.ts');
      installRules(machineOf(edge), { json: isThere(json) });
    },
  },
  {
    usage: 'binfmt remove',
    summary: 'remove the rules (as root)',
    options: [JSON_OPTION],
    run: async (_, { json }) => {
      const { removeRules } = await import('./binfmt.ts');
      removeRules({ json: isThere(json) });
    },
  },
  {
    usage: 'binfmt print',
    summary: 'print the rules for a file in /etc/binfmt.d',
    options: [['--force', 'also where they would match the programs of this machine'], JSON_OPTION],
    run: async (_, { json, force }, edge) => {
      const { machineOf, printRules } = await import('./binfmt.ts');
      printRules(machineOf(edge), { json: isThere(json), force: isThere(force) });
    },
  },
];
