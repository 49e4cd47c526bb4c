// A word, a file's path → how a shell takes it, in a line that is read and typed or in a script.
import { printableLine } from './output.ts';

/** `=` in front is an expansion of zsh's. */
const PLAIN = /^(?!=)[\w./+:=@,-]+$/;

/** As one word of sh(1): what is in a script, whose control characters are what they are. */
export function scriptWord(word: string): string {
  // Fish takes a backslash before a quote or another one as an escape inside quotes too, so none stays there.
  return PLAIN.test(word) ? word : `'${word.replace(/['\\]/g, "'\\$&'")}'`;
}

/** Octal bytes: shells differ in how many digits they read after \x, and whether \u depends on the locale. */
function escaped(character: string): string {
  if (character === "'" || character === '\\') return `\\${character}`;
  if (printableLine(character) === character) return character;
  return [...Buffer.from(character)].map((byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('');
}

/**
 * As one word of a line that a person types, quoted where it has to be, with nothing in it that `printableLine`
 * replaces. A word with control characters is `$'...'` of POSIX.1-2024, which bash, zsh, ksh and busybox take. Fish and
 * older dash do not: no form is common to all, and such names are too rare for a line of each shell.
 */
export function shellWord(word: string): string {
  if (printableLine(word) === word) return scriptWord(word);
  return `$'${[...word].map(escaped).join('')}'`;
}

/** A file as an operand: the path of one below a directory `-x` is no option. */
export function fileWord(file: string): string {
  return shellWord(/^-.*\//s.test(file) ? `./${file}` : file);
}
