// A pattern of the user → a test for names of store objects.

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
