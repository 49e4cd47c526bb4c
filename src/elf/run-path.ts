// DT_RPATH, DT_RUNPATH and LD_LIBRARY_PATH strings → the directories ld.so searches for them, in order.
// Source of every rule: glibc 2.42 elf/dl-load.c (fillin_rpath, decompose_rpath, is_dst, _dl_dst_substitute); of
// musl's, musl 1.2.5 ldso/dynlink.c (path_open, fixup_rpath).

/** Values of the dynamic string tokens; `undefined` where ld.so could not know one. */
export interface TokenValues {
  /** Directory of the object that the string belongs to; of the main program for LD_LIBRARY_PATH. */
  readonly origin: string | undefined;
  /** `lib` in nixpkgs, `lib/x86_64-linux-gnu` in Debian. */
  readonly lib: string | undefined;
  /** `haswell`, `x86_64` ... */
  readonly platform: string | undefined;
}

/**
 * DT_RPATH or DT_RUNPATH, separated by `:`. The empty string is the working directory; no other ends in a slash but
 * `/`.
 */
export function runPathDirectories(text: string, tokens: TokenValues): string[] {
  return directoriesOf(text, ':', tokens);
}

/** LD_LIBRARY_PATH or `--library-path`, separated by `:` or `;`. */
export function libraryPathDirectories(text: string, tokens: TokenValues): string[] {
  return directoriesOf(text, /[:;]/, tokens);
}

/** The elements of any search path of musl's loader: empty ones do not count. */
export function muslSearchPath(text: string): string[] {
  return text.split(/[:\n]/).filter((element) => element !== '');
}

/** DT_RPATH or DT_RUNPATH for musl's loader: with any `$` that is not $ORIGIN the whole list is void. */
export function muslRunPathDirectories(text: string, origin: string): string[] {
  const isVoid = /\$(?!ORIGIN|\{ORIGIN\})/.test(text);
  return isVoid ? [] : muslSearchPath(text.replace(/\$(?:ORIGIN|\{ORIGIN\})/g, () => origin));
}

/** An empty list has no element, not an empty one. */
function directoriesOf(text: string, separator: string | RegExp, tokens: TokenValues): string[] {
  if (text === '') return [];
  const directories = text.split(separator).flatMap((element) => {
    if (element === '') return [''];
    const expanded = expandTokens(element, tokens);
    return expanded === undefined || expanded === '' ? [] : [withoutTrailingSlashes(expanded)];
  });
  return [...new Set(directories)];
}

/**
 * Replaces `$ORIGIN`, `${ORIGIN}`, and LIB and PLATFORM alike. Any other `$` stays. `undefined` when a token has no
 * value: ld.so then drops the element of the list, or fails to load the name.
 */
export function expandTokens(text: string, tokens: TokenValues): string | undefined {
  let unknown = false;
  const expanded = text.replace(TOKEN, (_match, bare?: string, braced?: string) => {
    const value = tokenValue(tokens, bare ?? braced);
    if (value === undefined) unknown = true;
    return value ?? '';
  });
  return unknown ? undefined : expanded;
}

/** A bare name ends where no letter, digit or underscore follows. */
const TOKEN = /\$(?:(ORIGIN|LIB|PLATFORM)(?![A-Za-z0-9_])|\{(ORIGIN|LIB|PLATFORM)\})/g;

function tokenValue(tokens: TokenValues, name: string | undefined): string | undefined {
  if (name === 'ORIGIN') return tokens.origin;
  return name === 'LIB' ? tokens.lib : tokens.platform;
}

export function withoutTrailingSlashes(directory: string): string {
  let length = directory.length;
  while (length > 1 && directory[length - 1] === '/') length -= 1;
  return directory.slice(0, length);
}
