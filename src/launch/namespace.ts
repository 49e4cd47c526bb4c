// The launcher and an interpreter path → whether it can lie over that path in a namespace of its own.
import { runProgramNow } from '../platform/run-program.ts';
import { inspectInterpreter } from './interpreter.ts';

const TIMEOUT = 10_000;

/** Has the launcher try it (launcher/namespace.c). Undefined where it works, else why not, as one clause. */
export function whyNoNamespace(launcher: string | undefined, seat: string): string | undefined {
  if (launcher === undefined || inspectInterpreter(launcher).kind !== 'launcher')
    return 'there is no launcher';
  const { status, stderr, failure } = runProgramNow(launcher, ['--try-namespace', seat], {
    env: {},
    timeout: TIMEOUT,
  });
  if (status === 0) return undefined;
  const first = stderr.split('\n')[0]?.replace(/^nix-run-foreign: /, '');
  return first || failure || 'the launcher could not try it';
}
