// A program and providers of one name → those that were built from the same source as the program.
//
// Some programs check at start that the library beside them is the very one they were built with, by an identifier
// that stands in both: `sqlite3` compares SQLITE_SOURCE_ID and refuses any other libsqlite3.so.0, older or newer
// (sqlite3's shell.c, "SQLite header and source version mismatch"). Others carry the commit of their tree. Neither
// soname nor symbol versions show that, the bytes do.
import { openFileSource } from '../elf/open-elf.ts';
import type { Provider } from './problem.ts';

/** Larger files are not looked through: the identifiers are those of small command-line front ends. */
const LARGEST = 16 << 20;

/** A hash as text, SHA-1 or longer; what follows may look like more of it (Debian's SQLite: `...69aalt1`). */
const IDENTIFIER = /[0-9a-f]{40,}/g;

const MOST_IDENTIFIERS = 32;

function textOf(file: string): string {
  try {
    const source = openFileSource(file);
    try {
      if (source.size > LARGEST) return '';
      return Buffer.from(source.read(0, source.size)).toString('latin1');
    } finally {
      source.close();
    }
  } catch {
    return '';
  }
}

/** Identifiers that stand in a file, each once. Runs of one digit are tables, not hashes. */
export function identifiersIn(text: string): string[] {
  const found = new Set(text.match(IDENTIFIER));
  const isHash = (each: string) => each.length <= 72 && new Set(each).size > 6;
  return [...found].filter(isHash).slice(0, MOST_IDENTIFIERS);
}

/**
 * A filter for the providers of a name: those that share an identifier with the program where some do, else all.
 * `names`: what the program itself needs; others are left alone. Files are read only where there is a choice.
 */
export function preferSameSource(
  program: string,
  names: readonly string[],
): (name: string, providers: readonly Provider[]) => readonly Provider[] {
  let identifiers: readonly string[] | undefined;
  return (name, providers) => {
    if (providers.length < 2 || !names.includes(name)) return providers;
    identifiers ??= identifiersIn(textOf(program));
    if (identifiers.length === 0) return providers;
    const wanted = identifiers;
    const sameSource = providers.filter((provider) => {
      const text = textOf(provider.path);
      return wanted.some((identifier) => text.includes(identifier));
    });
    return sameSource.length > 0 ? sameSource : providers;
  };
}
