// A vendor's desktop entry → the same entry with a shim in its Exec lines.
interface EntryEdits {
  /** Path of the shim. */
  readonly shim: string;
  readonly name: string;
  /** Whether a program that the entry names is the one behind the shim. */
  isProgram(named: string): boolean;
  /** An icon as a menu finds it. */
  icon(named: string): string;
  /** A working directory as an absolute path. */
  directory(named: string): string;
}

interface RewrittenEntry {
  readonly text: string;
  /** How many Exec keys start the shim now: the entry's own and those of its actions. */
  readonly started: number;
}

/** Says whose the copy is; keys of that form are everybody's to add ("Extending the format"). */
const MARK = 'X-Nix-Run-Foreign-Shim';

function isOurs(group: string): boolean {
  return group === 'Desktop Entry' || group.startsWith('Desktop Action ');
}

/**
 * Exec and TryExec of the entry and of its actions where they start the program, Icon and Path. D-Bus would start the
 * vendor's program without looking at Exec, so that activation is off. Everything else stays, byte for byte.
 */
export function rewriteEntry(text: string, edits: EntryEdits): RewrittenEntry {
  let group = '';
  let started = 0;
  const lineOf = (line: string): string[] => {
    const header = /^\[([^[\]]*)\]\s*$/.exec(line)?.[1];
    if (header !== undefined) {
      group = header;
      return header === 'Desktop Entry' ? [line, `${MARK}=${escapeString(edits.name)}`] : [line];
    }
    const [begin = '', key = '', locale = ''] = /^([A-Za-z0-9-]+)(\[[^\]]*\])?\s*=/.exec(line) ?? [];
    const value = line.slice(begin.length).trim();
    if (!isOurs(group) || key === '') return [line];
    const write = (changed: string) => [`${key}${locale}=${changed}`];
    switch (key) {
      case MARK:
        return [];
      case 'Exec':
        if (!edits.isProgram(programOfExec(value) ?? '')) return [line];
        started += 1;
        return write(withProgram(value, edits.shim));
      case 'TryExec':
        return edits.isProgram(unescapeString(value)) ? write(escapeString(edits.shim)) : [line];
      case 'Icon':
        return write(escapeString(edits.icon(unescapeString(value))));
      case 'Path':
        return value === '' ? [line] : write(escapeString(edits.directory(unescapeString(value))));
      case 'DBusActivatable':
        return write('false');
      default:
        return [line];
    }
  };
  return { text: text.split('\n').flatMap(lineOf).join('\n'), started };
}

/** The shim that an entry was rewritten for; undefined for any other entry. */
export function shimOfEntry(text: string): string | undefined {
  const value = new RegExp(`^${MARK}=(.*)$`, 'm').exec(text)?.[1];
  return value === undefined ? undefined : unescapeString(value);
}

/** The value of a key of the entry's own, as it is written. */
function ownValue(text: string, key: string): string | undefined {
  const lines = text.split('\n');
  const start = lines.findIndex((line) => /^\[Desktop Entry\]\s*$/.test(line));
  if (start === -1) return undefined;
  const own = lines.slice(start + 1);
  const end = own.findIndex((line) => line.startsWith('['));
  const found = own
    .slice(0, end === -1 ? undefined : end)
    .find((line) => line.startsWith(key) && /^\s*=/.test(line.slice(key.length)));
  return found?.slice(found.indexOf('=') + 1).trim();
}

/** The programs that Exec and TryExec of an entry name; its actions may name others. */
export function programsOfEntry(text: string): string[] {
  const [command, tried] = [ownValue(text, 'Exec'), ownValue(text, 'TryExec')];
  const named = [programOfExec(command ?? ''), tried && unescapeString(tried)];
  return named.filter((each) => each !== undefined && each !== '') as string[];
}

export function iconOfEntry(text: string): string | undefined {
  const icon = ownValue(text, 'Icon');
  return icon && unescapeString(icon);
}

/** A word of the command line and where it stands in the value, once the escapes of strings are taken out. */
interface Word {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

const ESCAPES: Readonly<Record<string, string>> = { s: ' ', n: '\n', t: '\t', r: '\r', '\\': '\\' };

/** Desktop Entry Specification 1.5, "Possible value types": escapes of every string. */
function unescapeString(value: string): string {
  return value.replace(/\\([sntr\\])/g, (_, letter: string) => ESCAPES[letter] ?? '');
}

function escapeString(value: string): string {
  return value
    .replaceAll('\\', '\\\\')
    .replaceAll('\n', '\\n')
    .replaceAll('\t', '\\t')
    .replaceAll('\r', '\\r')
    .replace(/^ /, '\\s');
}

/**
 * "The Exec key": words are separated by blanks, or quoted as a whole, with a backslash before `"`, `` ` ``, `$`, `\`.
 */
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

/** Letters of env(1) that take the rest of their word, or the next one. */
const WITH_OPERAND = /^-[^-uCaS]*([uCaS])(.*)$/s;
const LONG_WITH_OPERAND = ['--unset', '--chdir', '--argv0'];

/** Behind options and assignments; none where -S has a whole command line in one word. */
function programOfEnv(words: readonly Word[]): Word | undefined {
  let at = 0;
  for (; words[at]?.text.startsWith('-'); at += 1) {
    const { text = '' } = words[at] ?? {};
    const [, letter, operand] = WITH_OPERAND.exec(text) ?? [];
    if (letter === 'S' || /^--split-string(?:=|$)/.test(text)) return undefined;
    if (operand === '' || LONG_WITH_OPERAND.includes(text)) at += 1;
    if (text === '--') return words.slice(at + 1).find(isNoAssignment);
  }
  return words.slice(at).find(isNoAssignment);
}

function isNoAssignment({ text }: Word): boolean {
  return !text.includes('=');
}

/** The word that names the program: behind `env` too. */
function programOf(words: readonly Word[]): Word | undefined {
  const [first, ...rest] = words;
  return first !== undefined && /(^|\/)env$/.test(first.text) ? programOfEnv(rest) : first;
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
