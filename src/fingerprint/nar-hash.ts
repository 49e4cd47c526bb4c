// A NAR hash as Nix writes it, in hexadecimal or in base 32 → the same 64 hexadecimal digits.

/** Nix's base 32: no e, o, t, u (Nix: src/libutil/hash.cc). */
const DIGITS = '0123456789abcdfghijklmnpqrsvwxyz';

/** 52 digits, the last ones first; the first digit carries one bit (Nix: src/libutil/hash.cc, parseNix32). */
function hexOfBase32(text: string): string {
  let value = 0n;
  for (const digit of text) value = (value << 5n) | BigInt(DIGITS.indexOf(digit));
  // The number is little-endian: its lowest byte is the first one of the hash.
  const bytes = value.toString(16).padStart(64, '0').match(/../g) ?? [];
  return bytes.reverse().join('');
}

/**
 * `sha256:<64 hexadecimal digits>` (Nix's database, `nix path-info --json` before 2.19) or `sha256:<52 digits>`
 * (`nix-store --query --hash`, .narinfo files) → the digits in hexadecimal; undefined for anything else.
 */
export function hexOfNarHash(text: string): string | undefined {
  if (/^sha256:[0-9a-f]{64}$/.test(text)) return text.slice(7);
  if (/^sha256:[01][0-9abcdfghijklmnpqrsvwxyz]{51}$/.test(text)) return hexOfBase32(text.slice(7));
  return undefined;
}
