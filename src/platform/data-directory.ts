// The user → the directory for what must outlast a deleted cache, because other programs name files in it.
import path from 'node:path';

/**
 * `$XDG_DATA_HOME/nix-run-foreign`, by default `~/.local/share/nix-run-foreign`: no version in it, since PATH, menus and
 * shims name it. @throws Node's error for a user without a home directory.
 */
export async function dataDirectory(): Promise<string> {
  const { default: envPaths } = await import('env-paths');
  return path.resolve(envPaths('nix-run-foreign', { suffix: '' }).data);
}
