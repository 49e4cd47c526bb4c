// A program's real path → the file name of its launch plan.

const OFFSET_BASIS = 0xcbf29ce484222325n;
const PRIME = 0x100000001b3n;
const MASK = (1n << 64n) - 1n;

/** The last path and its key: one process asks for one program, several times. */
let last: { readonly realPath: string; readonly key: string } | undefined;

/** 16 hex digits of the 64-bit FNV-1a hash of the path's bytes; the launcher computes the same (PLAN.md). */
export function planKey(realPath: string): string {
  if (last?.realPath !== realPath) last = { realPath, key: keyOf(realPath) };
  return last.key;
}

function keyOf(realPath: string): string {
  let hash = OFFSET_BASIS;
  for (const byte of Buffer.from(realPath)) hash = ((hash ^ BigInt(byte)) * PRIME) & MASK;
  return hash.toString(16).padStart(16, '0');
}
