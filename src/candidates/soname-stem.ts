// A needed name → what another version of the same library would be called.

/** Where a version may stand in a name: `libffi.so.7`, `libpython3.11.so.1.0`, `libdb-5.3.so`. */
const PARTS = /^(.*?)([-_.]?\d[\d.]*)?\.so((?:\.[^/]*)?)$/;

/** `libdb` of `libdb-5.3.so`; undefined for what is not named like a library. */
export function stemOf(name: string): string | undefined {
  const stem = PARTS.exec(name)?.[1];
  return stem === undefined || stem === '' || stem === 'lib' ? undefined : stem;
}

/** The numbers after `.so`: `libcrypto.so.1.1` → 1, 1. */
function numbersOf(name: string): readonly number[] {
  return (PARTS.exec(name)?.[3]?.match(/\d+/g) ?? []).map(Number);
}

/** How many numbers after `.so` two names have in common from the left. */
function sharedNumbers(a: readonly number[], b: readonly number[]): number {
  const different = a.findIndex((each, i) => each !== b[i]);
  return different < 0 ? a.length : different;
}

/**
 * How far a name is from the wanted one, as sort keys, smaller is nearer: versions before `.so` are part of the name
 * more often than not, so they count most.
 */
export function distance(wanted: string, name: string): readonly [number, number] {
  const beforeSo = (each: string) => each.slice(0, each.indexOf('.so'));
  const shared = sharedNumbers(numbersOf(wanted), numbersOf(name));
  return [beforeSo(wanted) === beforeSo(name) ? 0 : 1, -shared];
}
