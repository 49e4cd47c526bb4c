// The commands about shells; each is loaded when it is asked for.
import { type CommandRow, isThere, JSON_OPTION, valuesOf } from './command-row.ts';

export const HOOK_COMMANDS: readonly CommandRow[] = [
  {
    usage: 'hook [shell]',
    summary: 'print what bash, zsh or fish evaluates so that foreign programs run by their own names',
    options: [
      ['--off', 'print what takes the hook away again'],
      ['--wrap <names>', 'start these commands through nix-run-foreign, too, e.g. python3,node'],
      JSON_OPTION,
    ],
    run: async ([shell], { off, wrap, json }, edge) => {
      const { hookCommand } = await import('./hook.ts');
      await hookCommand(shell, { off: isThere(off), json: isThere(json), wrap: valuesOf(wrap) }, edge);
    },
  },
  {
    usage: 'dirs add <directories...>',
    summary: 'let the programs of a directory run by name, after everything on PATH',
    options: [JSON_OPTION],
    run: async (directories, { json }) => {
      const { dirsCommand } = await import('./dirs.ts');
      await dirsCommand('add', directories, { json: isThere(json) });
    },
  },
  {
    usage: 'dirs remove <directories...>',
    summary: 'take a directory back',
    options: [JSON_OPTION],
    run: async (directories, { json }) => {
      const { dirsCommand } = await import('./dirs.ts');
      await dirsCommand('remove', directories, { json: isThere(json) });
    },
  },
  {
    usage: 'dirs list',
    summary: 'show the registered directories',
    options: [JSON_OPTION],
    run: async (_, { json }) => {
      const { dirsCommand } = await import('./dirs.ts');
      await dirsCommand('list', [], { json: isThere(json) });
    },
  },
];
