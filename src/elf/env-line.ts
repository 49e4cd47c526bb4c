// The argument that a `#!` line gives to env(1) → the command that env would look up, where that is plain to see.

export interface EnvCommand {
  readonly name: string;
  /** Words between the command and the script. */
  readonly args: readonly string[];
}

/** Quotes, escapes and variables (`env -S`), options and assignments are env's own to understand. */
const plain = /^[A-Za-z0-9_@%+:,./-]+$/;

/**
 * `python3`, `-S python3 -u`, `--split-string=python3 -u`; undefined for everything else. Without `-S` the kernel gives
 * all of it as one word (coreutils manual, "env invocation").
 */
export function readEnvArgument(argument: string | undefined): EnvCommand | undefined {
  if (argument === undefined) return undefined;
  const split = /^(?:-S|--split-string=)\s*([\s\S]*)$/.exec(argument)?.[1];
  const words = split === undefined ? [argument] : split.split(/[ \t]+/).filter((word) => word !== '');
  const [name, ...args] = words;
  const isOption = (word: string) => word.startsWith('-');
  if (name === undefined || !plain.test(name) || isOption(name)) return undefined;
  return args.every((word) => plain.test(word)) ? { name, args } : undefined;
}
