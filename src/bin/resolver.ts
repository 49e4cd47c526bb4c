// The launcher's call on a miss → a launch plan; the audit module's and ldconfig's calls → answers. A bundle of its
// own: what a miss does not need is not even read.
import { resolve } from '../cli/resolve.ts';
import { debug } from '../host/output.ts';
import { parseRequestedStrategy } from '../resolve/choose-strategy.ts';
import type { Context } from '../resolve/context.ts';
import type { ResolveMode } from '../resolve/job.ts';
import { begin } from './process.ts';

interface ResolverCall {
  readonly program: string;
  readonly mode: ResolveMode;
  readonly strategy?: string;
  /** binfmt_misc called, and would call again for the program itself. */
  readonly byBinfmt: boolean;
  /** How the program was found, where that is not its real path. */
  readonly found?: string;
  readonly capabilities: 'some' | 'none';
}

/**
 * Reads, after `resolve --from-launcher`,
 * `[--refresh|--rehash|--by-binfmt] [--strategy NAME] [--found PATH] [--with-capabilities] -- PROGRAM`.
 */
function readCall(words: readonly string[]): ResolverCall {
  const rest = [...words];
  const take = (word: string): boolean => rest[0] === word && rest.shift() !== undefined;
  const byBinfmt = take('--by-binfmt');
  const mode = take('--refresh') ? 'refresh' : take('--rehash') || byBinfmt ? 'rehash' : 'as-needed';
  const strategy = take('--strategy') ? rest.shift() : undefined;
  const found = take('--found') ? rest.shift() : undefined;
  const capabilities = take('--with-capabilities') ? 'some' : 'none';
  return {
    program: words.at(-1) ?? '',
    mode,
    byBinfmt,
    ...(strategy === undefined ? {} : { strategy }),
    ...(found === undefined ? {} : { found }),
    capabilities,
  };
}

/** `resolve --from-launcher ... -- PROGRAM`: the miss, where every millisecond counts. */
async function resolveForLauncher(words: readonly string[], context: Context): Promise<void> {
  debug('started');
  const { program, mode, strategy, byBinfmt, found, capabilities } = readCall(words);
  const host = { ...context.host, capabilities };
  const requesting =
    strategy === undefined ? {} : { requested: parseRequestedStrategy(strategy, '--strategy') };
  const finding = found === undefined ? {} : { found };
  await resolve(program, { ...context, host, byBinfmt, isStart: true, ...finding, ...requesting }, mode);
  // Nothing is left to do, and taking the process apart properly takes longer than ending it.
  process.exit(0);
}

/** `extend ...`: a program that runs waits for it. */
async function extendForModule(words: readonly string[], context: Context): Promise<void> {
  const { extendCommand } = await import('../cli/extend.ts');
  await extendCommand(words, context);
  process.exit(0);
}

/** `print-cache PID`: ldconfig in a view asks for its parent; ldd asks for `libc`. */
async function printCacheFor(word: string, context: Context): Promise<void> {
  process.stdout.on('error', () => process.exit(1)); // whoever reads has read enough
  const { printCacheCommand } = await import('../cli/print-cache.ts');
  await printCacheCommand(word, context);
}

/** For the compiled code of this bundle (nix-foreign.cts). */
export { removeLeftoversOf, writeFileAtomically } from '../host/atomic-file.ts';

/** The whole process of a miss, or of a question. */
export async function main(): Promise<void> {
  if (process.argv[2] === 'print-cache')
    return await begin('ldconfig', (context) => printCacheFor(process.argv[3] ?? '', context));
  if (process.argv[2] === 'extend')
    return await begin('nix-run-foreign', (context) => extendForModule(process.argv.slice(3), context));
  await begin('nix-run-foreign', (context) => resolveForLauncher(process.argv.slice(4), context));
}
