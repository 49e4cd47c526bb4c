// Who sits at the interpreter path and which glibc was chosen → the way to start the program, and why.
import type { Interpreter } from './interpreter.ts';
import type { Strategy } from './plan.ts';

export interface StrategyChoice {
  readonly strategy: Strategy;
  /** One sentence for `explain`. */
  readonly why: string;
}

function isOlder(version: readonly number[], than: readonly number[]): boolean {
  for (const [i, limit] of than.entries()) {
    const part = version[i] ?? 0;
    if (part !== limit) return part < limit;
  }
  return false;
}

/** nix-ld up to 2.0.5 crashes with glibc 2.42 and later (nix-community/nix-ld issue 190). */
const NIX_LD_WITH_NEW_GLIBC = [2, 0, 6];
const NEW_GLIBC = [2, 42];

const PROC_SELF_EXE =
  '/proc/self/exe is the loader, so a program that re-executes itself by it will not work';

/** Chooses between `nix-ld` and `loader` for a dynamic program. `libc` is the chosen libc's version, if known. */
export function chooseStrategy(
  interpreter: Interpreter,
  libc: readonly number[] | undefined,
): StrategyChoice {
  if (interpreter.kind === 'nix-ld') {
    const { version } = interpreter;
    const broken =
      version !== undefined &&
      isOlder(version, NIX_LD_WITH_NEW_GLIBC) &&
      libc !== undefined &&
      !isOlder(libc, NEW_GLIBC);
    if (!broken) return { strategy: 'nix-ld', why: `nix-ld sits at ${interpreter.path}` };
    return {
      strategy: 'loader',
      why: `the nix-ld at ${interpreter.path} (${version.join('.')}) crashes with glibc ${libc.join('.')}; ${PROC_SELF_EXE}`,
    };
  }
  const seat = {
    missing: `nothing is at ${interpreter.path}`,
    'stub-ld': `NixOS' stub-ld sits at ${interpreter.path}`,
    loader: `the loader of another libc sits at ${interpreter.path}`,
    unknown: `what sits at ${interpreter.path} is not known`,
  }[interpreter.kind];
  return {
    strategy: 'loader',
    why: `${seat}, so the chosen loader is started with the program; ${PROC_SELF_EXE}`,
  };
}
