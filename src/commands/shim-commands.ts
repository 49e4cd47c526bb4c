// The commands about shims; loaded when they are asked for.
import { type CommandRow, isThere, JSON_OPTION, valuesOf } from './command-row.ts';

export const SHIM_COMMANDS: readonly CommandRow[] = [
  {
    usage: 'shim add [program]',
    summary: 'make a command that starts a program with no prefix',
    options: [
      ['--as <name>', 'under this name'],
      ['--all <directory>', 'one for every program in a directory'],
      ['--desktop', "put it in the menu: a copy of the vendor's .desktop file that is found near it"],
      ['--desktop-file <file>', 'the same with this .desktop file'],
      JSON_OPTION,
    ],
    run: async ([program = ''], { as, all, desktop, desktopFile, json }, edge) => {
      const { addCommand } = await import('./shim.ts');
      const options = {
        as: valuesOf(as).at(-1),
        all: valuesOf(all).at(-1),
        desktop: isThere(desktop),
        desktopFile: valuesOf(desktopFile).at(-1),
        json: isThere(json),
      };
      await addCommand(program, options, edge);
    },
  },
  {
    usage: 'shim list',
    summary: 'show the shims, what they start, and what is wrong with them',
    options: [JSON_OPTION],
    run: async (_, { json }) => {
      const { listCommand } = await import('./shim.ts');
      await listCommand({ json: isThere(json) });
    },
  },
  {
    usage: 'shim remove <names...>',
    summary: 'take shims and their menu entries away',
    options: [JSON_OPTION],
    run: async (names, { json }) => {
      const { removeCommand } = await import('./shim.ts');
      await removeCommand(names, { json: isThere(json) });
    },
  },
];
