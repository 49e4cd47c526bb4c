// Directories in which a work was interrupted → what still lies there that was to be taken away.
import path from 'node:path';
import { namesBelow } from './state-digest.ts';

/**
 * What is written beside a file before it has its name, also by Nix (`KEY.tmp-77-1804` beside a root), locks, and
 * directories that a command makes in /tmp. The links to the audit module stay (RUN-TIME.md).
 */
const LEFT = /\.tmp(?:\W|$)|\.(?:lock|owner|new)$|^nix-foreign-(?!audit\b)/;
/** The same for bash, but for those directories. */
const NAMES = '*.{tmp,tmp[^a-zA-Z0-9_]*,lock,owner,new}';

/** Nix leaves these in a cache of files when it is killed, and no command of Nix takes them away. */
const OF_NIX_IN_CACHE = /^cache\/(?:nar\/)?[^/]*\.tmp\.\d+\.\d+$/;

/** Paths of what is left, also directories; links are not followed. */
export function leftBehindIn(directories: readonly string[]): string[] {
  return directories.flatMap((directory) =>
    namesBelow(directory)
      .filter((name) => LEFT.test(path.basename(name)) && !OF_NIX_IN_CACHE.test(name))
      .map((name) => path.join(directory, name)),
  );
}

/** What bash finds of it directly in directories that globs name, as the array `left`. */
export function findingLeft(globs: readonly string[]): string {
  const words = globs.map((glob) => `${glob}/${NAMES}`);
  return `shopt -s globstar dotglob nullglob\nleft=(${words.join(' ')})\n`;
}
