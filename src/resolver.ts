// The launcher's call on a miss → a launch plan. A bundle of its own: what a miss does not need is not even read.
import { resolve } from './commands/resolve.ts';
import { begin, version } from './edge.ts';
import { contextOf } from './pipeline/context.ts';
import { debug } from './platform/report.ts';

/** `resolve --from-launcher [--refresh|--rehash] [--with-capabilities] -- PROGRAM`: the miss, where every millisecond counts. */
async function resolveForLauncher(words: readonly string[]): Promise<void> {
  debug('started');
  const program = words.at(-1) ?? '';
  const how = words.includes('--refresh') ? 'refresh' : words.includes('--rehash') ? 'rehash' : 'as-needed';
  const context = contextOf(process, version);
  const capable = words[words.indexOf('--') - 1] === '--with-capabilities';
  const surroundings = { ...context.surroundings, capabilities: capable ? 'some' : 'none' } as const;
  await resolve(program, { ...context, surroundings }, how);
  // Nothing is left to do, and taking the process apart properly takes longer than ending it.
  process.exit(0);
}

/** The whole process of a miss. */
export async function main(): Promise<void> {
  await begin('nix-run-foreign', () => resolveForLauncher(process.argv.slice(3)));
}
