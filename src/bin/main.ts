// The process → a command of the manager.
import { errnoOf, ForeignError, reasonOf } from '../host/errors.ts';
import { reportFailure } from '../host/output.ts';
import type { Context } from '../resolve/context.ts';
import { packageOf } from '../resolve/own-package.ts';
import { begin, version } from './process.ts';

/**
 * Ends the process as SIGPIPE ends git and ls, for which a shell says 141. Node ignores that signal; with its last
 * listener gone it has its default disposition again (libuv src/unix/signal.c, uv__signal_stop).
 */
function endBySigpipe(): void {
  const listener = () => {};
  process.on('SIGPIPE', listener).removeListener('SIGPIPE', listener);
  process.kill(process.pid, 'SIGPIPE');
}

/** A stdout that is full or gone is a failure of ours; a reader that read enough (EPIPE) ends us silently. */
function watchStdout(): void {
  process.stdout.on('error', (error) => {
    if (errnoOf(error) === 'EPIPE') endBySigpipe();
    process.exit(errnoOf(error) === 'EPIPE' ? 141 : reportFailure(unwritable(error)));
  });
}

function unwritable(error: Error): ForeignError {
  return new ForeignError(`cannot write the result: ${reasonOf(error)}`, {
    code: 'stdout',
    hint: 'send it somewhere else',
    exitCode: 125,
    cause: error,
  });
}

/** `choose --from-launcher [--with-capabilities] -- PROGRAM`: `nix-run-foreign --choose`, before the start. */
async function chooseForLauncher(words: readonly string[], context: Context): Promise<void> {
  const { chooseOnTheWay } = await import('../cli/choose/choose.ts');
  const capabilities = words[0] === '--with-capabilities' ? 'some' : 'none';
  const host = { ...context.host, capabilities } as const;
  process.exitCode = await chooseOnTheWay(words.at(-1) ?? '', { ...context, host });
}

async function run(words: readonly string[], entry: string, context: Context): Promise<void> {
  watchStdout();
  if (words[0] === 'choose' && words[1] === '--from-launcher')
    return await chooseForLauncher(words.slice(2), context);
  const { runCommandLine } = await import('../cli/commands.ts');
  await runCommandLine(words, {
    context,
    arch: process.arch,
    ...packageOf(entry, process.arch),
    version,
    setExitStatus: (status) => {
      process.exitCode = status;
    },
  });
}

/** For the compiled code of this bundle (nix-foreign.cts). */
export { removeLeftoversOf, writeFileAtomically } from '../host/atomic-file.ts';

/** `nix-foreign`, from the first word to the exit status. `entry`: path of the file that Node was started with. */
export async function main(entry: string): Promise<void> {
  const words = process.argv.slice(2);
  const name = words[1] === '--from-launcher' ? 'nix-run-foreign' : 'nix-foreign';
  await begin(name, (context) => run(words, entry, context));
}
