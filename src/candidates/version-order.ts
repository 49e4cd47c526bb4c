// The name of a store object → its version, and a text by which versions sort the newest first.

/** Nix knows only `pre`, and takes 1.0rc1 for newer than 1.0; these words are meant like it wherever they are used. */
const BEFORE_RELEASE = /^(?:alpha|beta|pre|rc)$/;

const VERSION = /-(\d[^-]*(?:-(?:\d|unstable|(?:alpha|beta|pre|rc)(?![a-z]))[^-]*)*)/;

/**
 * The version in a store object's name: `openssl-1.1.1w` → `1.1.1w`, `x-0-unstable-2024-05-01-lib` →
 * `0-unstable-2024-05-01`. It begins at the first dash before a digit (Nix: builtins.parseDrvName) and ends at an
 * output's name; empty where there is none.
 */
export function versionOfName(name: string): string {
  return VERSION.exec(name)?.[1] ?? '';
}

/** What ends a version sorts after `pre` and before everything else: 1.0pre1 < 1.0 < 1.0a < 1.0.1. */
const END = '1';

function componentKey(component: string): string {
  if (BEFORE_RELEASE.test(component)) return `0${component}\0`;
  if (!/^\d/.test(component)) return `2${component}\0`;
  const digits = component.replace(/^0+/, '');
  return `3${String.fromCharCode(digits.length)}${digits}`;
}

/**
 * A text that is smaller, by code unit, the newer the version. The rule is that of builtins.compareVersions (Nix
 * manual; src/libstore/names.cc, componentsLT): runs of digits and of other characters, dots and dashes between them
 * left out; numbers by their value and after words (2.3a < 2.3.1), `pre` before the end. Beyond it, alpha, beta and rc
 * are like `pre`, and numbers may be of any length (Nix takes those above 2^31 for words).
 */
export function newestFirst(version: string): string {
  const components = version.match(/\d+|[^\d.-]+/g) ?? [];
  const ascending = `${components.map(componentKey).join('')}${END}`;
  let descending = '';
  for (let i = 0; i < ascending.length; i += 1)
    descending += String.fromCharCode(0xff - ascending.charCodeAt(i));
  return descending;
}
