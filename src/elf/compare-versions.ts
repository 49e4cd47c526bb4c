// Two version names -> their order: GLIBC_2.9 before GLIBC_2.36.

/**
 * Compares for `Array.sort`: runs of digits by their value, everything else by code unit, a prefix before what extends
 * it. A total order: only equal strings give 0.
 */
export function compareVersions(left: string, right: string): number {
  const leftParts = partsOf(left);
  const rightParts = partsOf(right);
  const shared = Math.min(leftParts.length, rightParts.length);
  for (let index = 0; index < shared; index += 1) {
    const order = comparePart(leftParts[index] ?? '', rightParts[index] ?? '');
    if (order !== 0) return order;
  }
  return leftParts.length - rightParts.length || compareText(left, right);
}

function partsOf(version: string): string[] {
  return version.match(/\d+|\D+/g) ?? [];
}

/** Digits without leading zeros: the longer run is the larger number, at any length. */
function comparePart(left: string, right: string): number {
  if (!/^\d/.test(left) || !/^\d/.test(right)) return compareText(left, right);
  const [a, b] = [left.replace(/^0+/, ''), right.replace(/^0+/, '')];
  return a.length - b.length || compareText(a, b);
}

function compareText(left: string, right: string): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}
