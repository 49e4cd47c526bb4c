// A needed name → what another version of the same library would be called.

/**
 * Where a version may stand in a name: after `.so`, and before it behind a separator or with a dot of its own
 * (`libdb-5.3.so`, `libpython3.11.so.1.0`). Other digits are part of the name: libz3 is no version of libz, libssl3
 * (NSS) none of libssl, libx265 none of libx264.
 */
const PARTS = /^(.*?)([-_.]\d[\d.]*|\d+\.\d[\d.]*)?\.so((?:\.[^/]*)?)$/;

/** No file has a longer name (NAME_MAX), and the time of PARTS grows with its cube. */
const LONGEST = 255;

function partsOf(name: string): RegExpExecArray | null {
  return name.length > LONGEST ? null : PARTS.exec(name);
}

/** `libdb` of `libdb-5.3.so`; undefined for what is not named like a library. */
export function stemOf(name: string): string | undefined {
  const stem = partsOf(name)?.[1];
  return stem === undefined || stem === '' || stem === 'lib' ? undefined : stem;
}

/** True for the same name, and for names of versions of one library. */
export function isSameLibrary(left: string, right: string): boolean {
  const stem = stemOf(left);
  return left === right || (stem !== undefined && stem === stemOf(right));
}

/** Names of other versions of a library, in the order in which they are given. `namesBeginning`: with these letters. */
export function otherVersionsOf(
  wanted: string,
  namesBeginning: (letters: string) => readonly string[],
): readonly string[] {
  const stem = stemOf(wanted);
  if (stem === undefined) return [];
  return namesBeginning(stem).filter((name) => name !== wanted && stemOf(name) === stem);
}

function beforeSo(name: string): string {
  return name.slice(0, name.indexOf('.so'));
}

/**
 * True where the version before `.so` is the same, or none stands there. It names a release that others are not
 * compatible with, by intent (libtool manual, "Release numbers"): libpython3.11, libdb-5.3.
 */
export function isSameRelease(left: string, right: string): boolean {
  return beforeSo(left) === beforeSo(right);
}

/** The numbers after `.so`: `libcrypto.so.1.1` → 1, 1. */
function numbersOf(name: string): readonly number[] {
  return (partsOf(name)?.[3]?.match(/\d+/g) ?? []).map(Number);
}

/**
 * How far a name is from the wanted one, as sort keys, smaller is nearer: versions before `.so` are part of the name
 * more often than not, so they count most; then how many numbers after `.so` are the same from the left, and how far
 * the first that differs is off, below 1.
 */
export function distance(wanted: string, name: string): readonly [number, number, number] {
  const [a, b] = [numbersOf(wanted), numbersOf(name)];
  const different = a.findIndex((each, i) => each !== b[i]);
  const shared = different < 0 ? a.length : different;
  const gap = Math.abs((a[shared] ?? 0) - (b[shared] ?? 0));
  return [isSameRelease(wanted, name) ? 0 : 1, -shared, gap / (gap + 1)];
}
