// DT_STRTAB and an index -> a string, each read on its own, their total bounded by the size of the file.
import type { FieldReader } from './field-reader.ts';
import { Malformed } from './malformed.ts';
import { type Mapping, placeOf } from './segments.ts';

export interface StringTable {
  /** The string at `index`, at most `longest` bytes. Throws Malformed. */
  at(index: number, what: string, longest?: number): string;
}

/** PATH_MAX: a longer file name could not be opened. */
export const longestName = 4_096;
/** For strings that list directories; nothing limits them but what a linker writes. */
export const longestList = 1_048_576;
const slack = 1_048_576;

/**
 * `address` is DT_STRTAB. ld.so never looks at DT_STRSZ, so the end is that of the segment. Strings may share their
 * bytes; a table whose strings together exceed the file (plus 1 MiB) is not a real one.
 */
export function readStringTable(
  fields: FieldReader,
  segments: readonly Mapping[],
  address: number | undefined,
): StringTable {
  const known = new Map<number, string>();
  let left = fields.size + slack;
  let place: ReturnType<typeof placeOf> | undefined;
  return {
    at(index, what, longest = longestName) {
      const seen = known.get(index);
      if (seen !== undefined) return seen;
      if (address === undefined) throw new Malformed('its dynamic table has no string table');
      place ??= placeOf(segments, address, 'the dynamic string table');
      if (!(place.offset + index < place.end)) {
        throw new Malformed(`${what} lies outside the dynamic string table`);
      }
      const text = fields.text(place.offset + index, place.end, longest, what);
      left -= text.length;
      if (left < 0) throw new Malformed('its strings are longer than the file');
      known.set(index, text);
      return text;
    },
  };
}
