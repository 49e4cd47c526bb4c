// The first bytes of a file → the interpreter of its `#!` line and that one's argument, as the kernel reads them.
// The argument that a `#!` line gives to env(1) → the command that env would look up, where that is plain to see.

type ScriptLine =
  | { readonly kind: 'script'; readonly interpreter: string; readonly argument: string | undefined }
  | { readonly kind: 'no-script' }
  /** The kernel would answer ENOEXEC. */
  | { readonly kind: 'bad-script'; readonly why: string };

/** BINPRM_BUF_SIZE: how much of a file the kernel looks at. */
const SCRIPT_LINE_SIZE = 256;

/**
 * As fs/binfmt_script.c, load_script: blanks (spaces and tabs) around the interpreter are dropped, all that follows it
 * up to the line end is one argument. A carriage return is an ordinary byte. Without a line end in 256 bytes the
 * argument is cut there, blanks at the end of a shorter file stay, and an interpreter that may be cut is refused.
 */
export function readScriptLine(head: Uint8Array): ScriptLine {
  if (head[0] !== 0x23 || head[1] !== 0x21) return { kind: 'no-script' };
  const seen = Buffer.from(head.buffer, head.byteOffset, Math.min(head.length, SCRIPT_LINE_SIZE));
  const text = seen.toString('latin1').padEnd(SCRIPT_LINE_SIZE, '\0');
  const start = indexFrom(text, 2, (character) => !isBlank(character));
  const nameEnd = indexFrom(text, start, (character) => isBlank(character) || character === '\0');
  const newline = text.indexOf('\n');
  if (newline < 0 && nameEnd === SCRIPT_LINE_SIZE) {
    return { kind: 'bad-script', why: 'its #! line is longer than 255 bytes' };
  }
  let end = newline < 0 ? SCRIPT_LINE_SIZE - 1 : newline;
  while (isBlank(text[end - 1])) end -= 1;
  if (start >= end || nameEnd === start)
    return { kind: 'bad-script', why: 'its #! line names no interpreter' };
  return {
    kind: 'script',
    interpreter: text.slice(start, Math.min(nameEnd, end)),
    argument: argumentOf(text, nameEnd, end),
  };
}

/** `undefined` without one; the empty string where only a NUL follows the blanks, which the kernel passes on. */
function argumentOf(text: string, nameEnd: number, end: number): string | undefined {
  if (nameEnd > end || text[nameEnd] === '\0') return undefined;
  const start = indexFrom(text, nameEnd, (character) => !isBlank(character));
  if (start > end) return undefined;
  const argument = text.slice(start, end);
  const nul = argument.indexOf('\0');
  return nul < 0 ? argument : argument.slice(0, nul);
}

/** The first index from `start` on whose character is `wanted`; the length of the text without one. */
function indexFrom(text: string, start: number, wanted: (character: string) => boolean): number {
  let index = start;
  while (index < text.length && !wanted(text[index] ?? '')) index += 1;
  return index;
}

function isBlank(character: string | undefined): boolean {
  return character === ' ' || character === '\t';
}

interface EnvCommand {
  readonly name: string;
  /** Words between the command and the script. */
  readonly args: readonly string[];
}

/** Quotes, escapes and variables (`env -S`), options and assignments are env's own to understand. */
const PLAIN = /^[A-Za-z0-9_@%+:,./-]+$/;

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
  if (name === undefined || !PLAIN.test(name) || isOption(name)) return undefined;
  return args.every((word) => PLAIN.test(word)) ? { name, args } : undefined;
}
