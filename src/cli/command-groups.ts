// Groups of commands → their rows of the table, for files that are loaded when a command is asked for.
import { reportFailure } from '../host/output.ts';
import { type CommandRow, isThere, JSON_OPTION, valuesOf } from './command.ts';

/** `nix-foreign binfmt ...`. */
export const BINFMT_COMMANDS: readonly CommandRow[] = [
  {
    usage: 'binfmt status',
    summary: 'show which rules are registered, and which programs of this machine they would match',
    options: [JSON_OPTION],
    run: async (_, { json }, entry) => {
      const { machineOf, showStatus } = await import('./binfmt.ts');
      showStatus(machineOf(entry), { json: isThere(json) });
    },
  },
  {
    usage: 'binfmt install',
    summary: 'register the rules until the next restart (as root), unless native programs match',
    options: [JSON_OPTION],
    run: async (_, { json }, entry) => {
      const { installRules, machineOf } = await import('./binfmt.ts');
      installRules(machineOf(entry), { json: isThere(json) });
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
    run: async (_, { json, force }, entry) => {
      const { machineOf, printRules } = await import('./binfmt.ts');
      printRules(machineOf(entry), { json: isThere(json), force: isThere(force) });
    },
  },
];

const KEY_OPTION = '--key <file>';

/** `nix-foreign fingerprint ...`. */
export const FINGERPRINT_COMMANDS: readonly CommandRow[] = [
  {
    usage: 'fingerprint export <program>',
    summary: 'write the fingerprint of a program, or of every program in a directory, to hand on beside it',
    options: [
      ['-o, --output <file>', 'write to this file instead, - for stdout'],
      ['--tree', 'one file for all programs of a directory'],
      [KEY_OPTION, 'sign with this secret key'],
      JSON_OPTION,
    ],
    run: async ([program = ''], { output, tree, key, json }, { context, setExitStatus }) => {
      const { exportCommand } = await import('./fingerprint/export.ts');
      const options = {
        output: valuesOf(output).at(-1),
        tree: isThere(tree),
        key: valuesOf(key).at(-1),
        json: isThere(json),
      };
      const [status] = (await exportCommand(program, options, context)).map(reportFailure);
      if (status !== undefined) setExitStatus(status);
    },
  },
  {
    usage: 'fingerprint import <file> [program]',
    summary: 'plan a program by a fingerprint, fetching what is missing',
    options: [JSON_OPTION],
    run: async ([file = '', program], { json }, { context }) => {
      const { importCommand } = await import('./fingerprint/import.ts');
      await importCommand(file, program, { json: isThere(json) }, context);
    },
  },
  {
    usage: 'fingerprint show <file-or-program>',
    summary: 'print what a fingerprint says',
    options: [JSON_OPTION],
    run: async ([named = ''], { json }, { context }) => {
      const { showCommand } = await import('./fingerprint/show.ts');
      await showCommand(named, { json: isThere(json) }, context);
    },
  },
  {
    usage: 'fingerprint verify <file> [program]',
    summary: 'check a fingerprint as a first start would, and change nothing',
    options: [JSON_OPTION],
    run: async ([file = '', program], { json }, { context }) => {
      const { verifyCommand } = await import('./fingerprint/import.ts');
      await verifyCommand(file, program, { json: isThere(json) }, context);
    },
  },
  {
    usage: 'fingerprint diff <before> <after>',
    summary: 'show how two fingerprints, of files or of programs, differ; status 1 when they do',
    options: [JSON_OPTION],
    run: async ([before = '', after = ''], { json }, { context, setExitStatus }) => {
      const { diffCommand } = await import('./fingerprint/show.ts');
      setExitStatus(await diffCommand(before, after, { json: isThere(json) }, context));
    },
  },
  {
    usage: 'fingerprint sign <files...>',
    summary: 'add a signature to fingerprints',
    options: [[KEY_OPTION, 'the secret key, as nix-store --generate-binary-cache-key makes it'], JSON_OPTION],
    run: async (files, { key, json }, { context }) => {
      const { signCommand } = await import('./fingerprint/sign.ts');
      signCommand(files, { key: valuesOf(key).at(-1), json: isThere(json) }, context);
    },
  },
];

export const HOOK_COMMANDS: readonly CommandRow[] = [
  {
    usage: 'hook [shell]',
    summary: 'print what bash, zsh or fish evaluates so that foreign programs run by their own names',
    options: [
      ['--off', 'print what takes the hook away again'],
      ['--wrap <names>', 'start these commands through nix-run-foreign, too, e.g. python3,node'],
      JSON_OPTION,
    ],
    run: async ([shell], { off, wrap, json }, entry) => {
      const { hookCommand } = await import('./hook.ts');
      await hookCommand(shell, { off: isThere(off), json: isThere(json), wrap: valuesOf(wrap) }, entry);
    },
  },
  {
    usage: 'dirs add <directories...>',
    summary: 'let the programs of a directory run by name, after everything on PATH',
    options: [JSON_OPTION],
    run: async (directories, { json }) => {
      const { dirsCommand } = await import('./hook.ts');
      await dirsCommand('add', directories, { json: isThere(json) });
    },
  },
  {
    usage: 'dirs remove <directories...>',
    summary: 'take a directory back',
    options: [JSON_OPTION],
    run: async (directories, { json }) => {
      const { dirsCommand } = await import('./hook.ts');
      await dirsCommand('remove', directories, { json: isThere(json) });
    },
  },
  {
    usage: 'dirs list',
    summary: 'show the registered directories',
    options: [JSON_OPTION],
    run: async (_, { json }) => {
      const { dirsCommand } = await import('./hook.ts');
      await dirsCommand('list', [], { json: isThere(json) });
    },
  },
];

/** `nix-foreign index ...`. */
export const INDEX_COMMANDS: readonly CommandRow[] = [
  {
    usage: 'index status',
    summary: 'show which file indexes there are, how old they are, and what was read of them',
    options: [JSON_OPTION],
    run: async (_, { json }, { context }) => {
      const { statusCommand } = await import('./manage-file-indexes.ts');
      await statusCommand(isThere(json) ? 'json' : 'text', context);
    },
  },
  {
    usage: 'index build',
    summary: 'read the file indexes now, or make one of a binary cache',
    options: [
      ['--from <cache>', 'a binary cache with listings: a directory, a file: or http(s) address'],
      ['--root <store-path>', 'of that cache only this and what it refers to'],
      JSON_OPTION,
    ],
    run: async (_, { from, root, json }, { context }) => {
      const { buildCommand } = await import('./manage-file-indexes.ts');
      const format = isThere(json) ? 'json' : 'text';
      await buildCommand({ from: valuesOf(from).at(-1), roots: valuesOf(root), format }, context);
    },
  },
  {
    usage: 'index export <file>',
    summary: 'write what was read of the shared libraries into one small file, to hand on',
    options: [[KEY_OPTION, 'sign with this secret key; others take it by the public one'], JSON_OPTION],
    run: async ([file = ''], { key, json }, { context }) => {
      const { exportCommand } = await import('./manage-file-indexes.ts');
      const format = isThere(json) ? 'json' : 'text';
      await exportCommand(file, { key: valuesOf(key).at(-1), format }, context);
    },
  },
  {
    usage: 'index find <soname>',
    summary: 'show which packages have a library, the one that would be taken first; status 1 without one',
    options: [JSON_OPTION],
    run: async ([name = ''], { json }, { context, setExitStatus }) => {
      const { findCommand } = await import('./manage-file-indexes.ts');
      if (!(await findCommand(name, isThere(json) ? 'json' : 'text', context))) setExitStatus(1);
    },
  },
  {
    usage: 'index forget <index>',
    summary:
      'take away what was read of an index or a binary cache, as status names it, and the address of that',
    options: [JSON_OPTION],
    run: async ([index = ''], { json }, { context }) => {
      const { forgetCommand } = await import('./manage-file-indexes.ts');
      await forgetCommand(index, isThere(json) ? 'json' : 'text', context);
    },
  },
];

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
      ['--patched', 'also of patched files that are gone, at once; else after 30 days'],
      ['--dry-run', 'only say what would be dropped'],
      JSON_OPTION,
    ],
    run: async (_, { unused, patched, dryRun, json }, { context }) => {
      const { pruneCommand } = await import('./prune.ts');
      const options = {
        unused: valuesOf(unused).at(-1),
        patched: isThere(patched),
        dryRun: isThere(dryRun),
        json: isThere(json),
      };
      await pruneCommand(options, context);
    },
  },
];

export const SHIM_COMMANDS: readonly CommandRow[] = [
  {
    usage: 'shim add [program]',
    summary: 'make a command that starts a program without nix-run-foreign in front',
    options: [
      ['--as <name>', 'under this name'],
      ['--all <directory>', 'one for every program in a directory'],
      ['--desktop', "put it in the menu: a copy of the vendor's .desktop file that is found near it"],
      ['--desktop-file <file>', 'the same with this .desktop file'],
      JSON_OPTION,
    ],
    run: async ([program = ''], { as, all, desktop, desktopFile, json }, entry) => {
      const { addCommand } = await import('./shim.ts');
      const options = {
        as: valuesOf(as).at(-1),
        all: valuesOf(all).at(-1),
        desktop: isThere(desktop),
        desktopFile: valuesOf(desktopFile).at(-1),
        json: isThere(json),
      };
      await addCommand(program, options, entry);
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
