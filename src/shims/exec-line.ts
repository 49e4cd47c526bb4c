// The value of a desktop entry's Exec key → its words, and the same value with another program.

/** A word of the command line and where it stands in the value, once the escapes of strings are taken out. */
interface Word {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

const ESCAPES: Readonly<Record<string, string>> = { s: ' ', n: '\n', t: '\t', r: '\r', '\\': '\\' };

/** Desktop Entry Specification 1.5, "Possible value types": escapes of every string. */
export function unescapeString(value: string): string {
  return value.replace(/\\([sntr\\])/g, (_, letter: string) => ESCAPES[letter] ?? '');
}

export function escapeString(value: string): string {
  return value
    .replaceAll('\\', '\\\\')
    .replaceAll('\n', '\\n')
    .replaceAll('\t', '\\t')
    .replaceAll('\r', '\\r')
    .replace(/^ /, '\\s');
}

/** "The Exec key": words are separated by blanks, or quoted as a whole, with a backslash before `"`, `` ` ``, `$`, `\`. */
function wordsOf(command: string): Word[] {
  return [...command.matchAll(/"((?:[^"\\]|\\[\s\S])*)"|[^ ]+/g)].map((match) => {
    const [whole, inside] = match;
    const text = inside === undefined ? whole : inside.replace(/\\(["`$\\])/g, '$1');
    return { text, start: match.index, end: match.index + whole.length };
  });
}

const RESERVED = /[ \t\n"'\\><~|&;$*?#()`]/;

/** One word as it is written; a percent sign would begin a field code. */
export function quoteWord(word: string): string {
  const literal = word.replaceAll('%', '%%');
  return RESERVED.test(literal) ? `"${literal.replace(/["`$\\]/g, '\\$&')}"` : literal;
}

/** The word that names the program: behind `env` and its assignments too. */
function programOf(words: readonly Word[]): Word | undefined {
  const [first, ...rest] = words;
  if (first === undefined || !/(^|\/)env$/.test(first.text)) return first;
  return rest.find(({ text }) => !/^[A-Za-z_][A-Za-z0-9_]*=/.test(text) && !text.startsWith('-'));
}

/** The program that an Exec value starts; undefined when it starts none. */
export function programOfExec(value: string): string | undefined {
  return programOf(wordsOf(unescapeString(value)))?.text.replaceAll('%%', '%');
}

/** The same command line with another program; all other words stay as they are. */
export function withProgram(value: string, program: string): string {
  const command = unescapeString(value);
  const word = programOf(wordsOf(command));
  if (word === undefined) return value;
  return escapeString(command.slice(0, word.start) + quoteWord(program) + command.slice(word.end));
}
