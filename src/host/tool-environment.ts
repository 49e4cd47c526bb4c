// The environment → what the programs that we start are told of it: a list of names, and a PATH of absolute
// directories.

/** Variables of a process, as `process.env` has them. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * What Nix and a compiler may be told; anything else could change how their loader, OpenSSL, or they themselves behave.
 * A name that ends in `=` is a whole one, any other the beginning of one. The same list as in
 * launcher/resolver-environment.h.
 */
const PASSED = [
  ...['PATH=', 'HOME=', 'USER=', 'LOGNAME=', 'SHELL=', 'TMPDIR='],
  ...['LANG=', 'LANGUAGE=', 'LC_', 'LOCALE_ARCHIVE', 'TZ=', 'TZDIR='],
  ...['TERM=', 'COLORTERM=', 'NO_COLOR=', 'FORCE_COLOR=', 'COLUMNS=', 'LINES='],
  ...['XDG_', 'NIX_', 'AWS_', 'SSH_AUTH_SOCK='],
  ...['SSL_CERT_FILE=', 'SSL_CERT_DIR=', 'CURL_CA_BUNDLE='],
  ...['http_proxy=', 'https_proxy=', 'all_proxy=', 'no_proxy='],
  ...['HTTP_PROXY=', 'HTTPS_PROXY=', 'ALL_PROXY=', 'NO_PROXY='],
];

/** The launcher's mark of a resolver: what a resolver starts is no place to begin another. */
const RESOLVER_MARK = 'NIX_RUN_FOREIGN_RESOLVING';

/** Ours, and nix-ld's. */
const NOT_PASSED = ['NIX_LD', 'NIX_RUN_FOREIGN'];

function isPassed(name: string): boolean {
  if (name === RESOLVER_MARK) return true;
  const entry = `${name}=`;
  const isListed = PASSED.some((each) => entry.startsWith(each));
  return isListed && !NOT_PASSED.some((each) => name.startsWith(each));
}

/** The variables that Nix and a compiler get. */
export function toolEnvironment(env: Environment): Record<string, string> {
  const passed = Object.entries(env).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && isPassed(entry[0]),
  );
  return Object.fromEntries(passed);
}

/**
 * The absolute directories of PATH: an empty or relative one is the working directory, where anybody's files may be.
 */
export function absoluteDirectories(searchPath: string): string[] {
  return searchPath.split(':').filter((directory) => directory.startsWith('/'));
}

/** The same with such a PATH; without one where none is left, since an empty PATH means the working directory too. */
export function withAbsolutePath(env: Readonly<Record<string, string>>): Record<string, string> {
  const { PATH: searchPath, ...rest } = env;
  const directories = absoluteDirectories(searchPath ?? '').join(':');
  return directories === '' ? rest : { ...rest, PATH: directories };
}
