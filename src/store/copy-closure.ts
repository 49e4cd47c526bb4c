// Store paths → they and all they refer to, in another store or binary cache.
import { complaintOf, type Nix } from './nix-commands.ts';
import { runWatched, type Show, withoutSecrets } from './watched-nix.ts';

export type Copied = { readonly kind: 'copied' } | { readonly kind: 'refused'; readonly why: string };

/**
 * Copies the closure of store paths to a store (nix3-copy(1); store URLs: nix3-help-stores(1)). What is there already is
 * not sent again. No stable command does it for binary caches, so the experimental one is asked for by name.
 */
export async function copyClosure(
  nix: Nix,
  storePaths: readonly string[],
  storeUrl: string,
  show: Show,
): Promise<Copied> {
  const experimental = ['--extra-experimental-features', 'nix-command'];
  const args = [...experimental, 'copy', '--to', storeUrl, ...storePaths];
  const ended = await runWatched(nix, 'nix', args, show);
  if (ended.status === 0) return { kind: 'copied' };
  if (ended.failure === 'ENOENT') return { kind: 'refused', why: `there is no command nix in ${nix.bin}` };
  return { kind: 'refused', why: withoutSecrets(complaintOf(ended)) };
}
