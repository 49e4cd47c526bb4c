// What a user decided about one program's libraries → one canonical value, and the digest of it in a fingerprint.
import stringify from 'fast-json-stable-stringify';
import { sha256OfText } from '../host/file-identity.ts';

/** The decisions themselves. What they are for is not in it: the same decisions have the same digest everywhere. */
export interface Choices {
  /** name → absolute path of the one store file that may serve it. */
  readonly pins: Readonly<Record<string, string>>;
  /** Patterns for names of store objects (`openssl-1.*`) that are never taken. Sorted, each once. */
  readonly exclude: readonly string[];
  /** Beginnings of names of store objects (`openssl-3.0`) that come first where they can, the most important first. */
  readonly prefer: readonly string[];
  /**
   * name → absolute path of the file that serves it, in the store or not; null: whatever the store has. Such a name is
   * in the set although nothing needs it. Absent where nothing was added.
   */
  readonly add?: Readonly<Record<string, string | null>>;
}

export const NO_CHOICES: Choices = { pins: {}, exclude: [], prefer: [] };

/**
 * Puts `added` on top: a pin replaces an earlier one of its name, preferences come before earlier ones. Which file
 * serves a name is what was said last: a pin takes the file of an earlier addition, whose name stays in the set, and
 * an addition of a file takes an earlier pin.
 */
export function addChoices(earlier: Choices, added: Choices): Choices {
  const pins = Object.entries(earlier.pins).filter(([name]) => typeof added.add?.[name] !== 'string');
  const add = Object.entries(earlier.add ?? {}).map(([name, file]): [string, string | null] => [
    name,
    Object.hasOwn(added.pins, name) ? null : file,
  ]);
  return {
    pins: { ...Object.fromEntries(pins), ...added.pins },
    exclude: [...new Set([...earlier.exclude, ...added.exclude])].sort(),
    prefer: [...new Set([...added.prefer, ...earlier.prefer])],
    ...addPart({ ...Object.fromEntries(add), ...added.add }),
  };
}

/**
 * Takes earlier decisions back. `words`: names of libraries, patterns and beginnings, as choiceLines shows them.
 * `unknown`: those that nothing was decided by.
 */
export function dropChoices(
  earlier: Choices,
  words: readonly string[],
): { readonly left: Choices; readonly unknown: readonly string[] } {
  const dropped = new Set(words);
  const without = <T>(decided: Readonly<Record<string, T>> = {}): Record<string, T> =>
    Object.fromEntries(Object.entries(decided).filter(([name]) => !dropped.has(name)));
  const { pins, exclude, prefer, add = {} } = earlier;
  const known = new Set([...Object.keys(pins), ...exclude, ...prefer, ...Object.keys(add)]);
  return {
    left: {
      pins: without(pins),
      exclude: exclude.filter((pattern) => !dropped.has(pattern)),
      prefer: prefer.filter((beginning) => !dropped.has(beginning)),
      ...addPart(without(add)),
    },
    unknown: words.filter((word) => !known.has(word)),
  };
}

/** Documents and digests of choices that add nothing are as they were before there was `add`. */
function addPart(add: Choices['add'] = {}): Pick<Choices, 'add'> {
  return Object.keys(add).length === 0 ? {} : { add };
}

/** The added files outside the store, by the names they serve. */
export function addedFiles({ add = {} }: Choices, storeDir: string): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(add).flatMap(([name, file]): [string, string][] =>
      file === null || file.startsWith(`${storeDir}/`) ? [] : [[name, file]],
    ),
  );
}

export function hasChoices({ pins, exclude, prefer, add = {} }: Choices): boolean {
  return Object.keys(pins).length + exclude.length + prefer.length + Object.keys(add).length > 0;
}

/** Lower-case hex SHA-256 of the canonical decisions; undefined where nothing was decided. */
export function digestOfChoices({ pins, exclude, prefer, add }: Choices): string | undefined {
  const choices = { pins, exclude, prefer, ...addPart(add) };
  return hasChoices(choices) ? sha256OfText(stringify(choices)) : undefined;
}

/** One line for each decision, in a fixed order. */
export function choiceLines({ pins, exclude, prefer, add = {} }: Choices): string[] {
  const names = Object.keys(pins).sort();
  const added = Object.keys(add).sort();
  return [
    ...names.map((name) => `pin ${name}=${pins[name]}`),
    ...added.map((name) => `add ${name}${add[name] === null ? '' : `=${add[name]}`}`),
    ...exclude.map((pattern) => `exclude ${pattern}`),
    ...prefer.map((beginning) => `prefer ${beginning}`),
  ];
}

/** `*` any characters, `?` one, `[abc]` and `[!abc]` one of a set (glob(7)); all others stand for themselves. */
export function namePattern(pattern: string): RegExp {
  const part = /\*|\?|\[(!?)([^\]]+)\]|./gs;
  const source = pattern.replace(part, (whole, not: string | undefined, set: string | undefined) => {
    if (whole === '*') return '.*';
    if (whole === '?') return '.';
    if (set !== undefined) return `[${not ? '^' : ''}${set.replace(/[\\\]^[]/g, '\\$&')}]`;
    return whole.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
  });
  try {
    return new RegExp(`^${source}$`, 's');
  } catch {
    // A set such as `[z-a]` is none: then the pattern is taken word for word, as a shell does.
    return new RegExp(`^${pattern.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')}$`, 's');
  }
}
