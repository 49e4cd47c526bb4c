// The options of `nix-run-foreign`, as its manual and the completions know them. launcher/options.c and run.ts read them.

/** Flags as in a command's row, and what each does. */
export const LAUNCHER_OPTIONS: readonly (readonly [flags: string, description: string])[] = [
  ['--choose', 'choose libraries by hand on the terminal, then start the program'],
  ['--explain', 'show every library, who needs it and which file serves it; start nothing'],
  ['--rehash', "read the program's content again, then start it"],
  ['--refresh', 'choose the libraries again, then start it'],
  ['--strategy <name>', 'start it this way from now on; auto takes that back'],
  ['--argv0 <name>', 'what the program is told as its own name'],
  ['--help', 'show the help'],
  ['--version', 'show the version'],
];
