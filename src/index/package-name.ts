// The name of a store object → the package, its version, and its output.

export interface PackageName {
  readonly name: string;
  readonly version: string;
  /** `lib` of `gcc-14.3.0-lib`; empty for the output `out`. */
  readonly output: string;
}

/** Outputs that packages of nixpkgs have (stdenv, multiple-output; and some of their own). */
const OUTPUT =
  /-(lib|libgcc|bin|dev|doc|devdoc|man|info|static|debug|data|tools|terminfo|dist|python|py|nix|client|server|modules|hwloc|cups|pam)$/;

/** The version begins at the first dash before a digit (Nix manual, builtins.parseDrvName). */
export function packageName(storeName: string): PackageName {
  const match = /^(.*?)-(\d.*)$/.exec(storeName);
  const [name, rest] = match === null ? [storeName, ''] : [match[1] as string, match[2] as string];
  const output = OUTPUT.exec(rest === '' ? name : rest)?.[1] ?? '';
  const cut = (text: string) => (output === '' ? text : text.slice(0, -output.length - 1));
  return rest === '' ? { name: cut(name), version: '', output } : { name, version: cut(rest), output };
}
