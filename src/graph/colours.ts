// The glibcs in a picture → one colour each, the same in every format.
import type { Picture } from './picture.ts';

/** Light enough for black text, apart for most kinds of colour blindness (after Okabe and Ito). */
const PALETTE = ['#a6d8f5', '#f5c77e', '#9fe0c4', '#f2e394', '#e3b5d2', '#c8c4f0', '#d9d2c3', '#b8e08a'];

export const PLAIN = '#ffffff';
export const CONFLICT = '#c62828';
export const DIAMOND = '#d55e00';

export interface Colour {
  readonly glibc: string;
  readonly fill: string;
}

/** Sorted by the name of the glibc. More than the palette has are told apart by their text only. */
export function coloursOf({ nodes }: Picture): readonly Colour[] {
  const glibcs = [...new Set(nodes.flatMap(({ glibc }) => glibc ?? []))].sort();
  return glibcs.map((glibc, at) => ({ glibc, fill: PALETTE[at % PALETTE.length] ?? PLAIN }));
}

export function fillOf(colours: readonly Colour[], glibc: string | undefined): string {
  return colours.find((each) => each.glibc === glibc)?.fill ?? PLAIN;
}
