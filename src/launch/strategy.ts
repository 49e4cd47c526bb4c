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

const NIX_LD_CRASHES = (
  version: readonly number[] | undefined,
  libc: readonly number[] | undefined,
): boolean =>
  version !== undefined &&
  isOlder(version, NIX_LD_WITH_NEW_GLIBC) &&
  libc !== undefined &&
  !isOlder(libc, NEW_GLIBC);

/** What the choice depends on. */
export interface Situation {
  readonly interpreter: Interpreter;
  /** The chosen libc's version, if known. */
  readonly libc: readonly number[] | undefined;
  /** Whether the launcher is a program for the same machine, so that it can be entered as the loader. */
  readonly machine: 'own' | 'other';
  /** What the user wants, if anything. */
  readonly wanted?: string | undefined;
  /** Whether binfmt_misc hands the program to the launcher, and would do so again if it were started itself. */
  readonly byBinfmt?: boolean;
  /** What the program is known as that reads /proc/self/exe, e.g. `Bun`; undefined for any other. */
  readonly readsItself?: string | undefined;
  /** Whether /proc/self/exe can be kept by a namespace or a patched copy: why not, or undefined where it can. Asked when needed. */
  readonly whyNo?: { readonly namespace: () => string | undefined; readonly copy: () => string | undefined };
}

function byLoader(why: string): StrategyChoice {
  return {
    strategy: 'loader',
    why: `${why}, so the chosen loader is started with the program; ${PROC_SELF_EXE}`,
  };
}

function byNixLd({ interpreter: { path, version }, libc, machine, wanted }: Situation): StrategyChoice {
  const sits = `nix-ld sits at ${path}`;
  if (wanted !== 'nix-ld' && machine === 'own')
    return {
      strategy: 'interpreter',
      why: `${sits} and enters the launcher, which enters the chosen loader; so do its children`,
    };
  if (!NIX_LD_CRASHES(version, libc)) return { strategy: 'nix-ld', why: sits };
  return {
    strategy: 'loader',
    why: `the nix-ld at ${path} (${version?.join('.')}) crashes with glibc ${libc?.join('.')}; ${PROC_SELF_EXE}`,
  };
}

const UNTRIED = () => 'it was not tried';

/** By a namespace or a copy, whichever is wanted or works; undefined where neither does or where none is called for. */
function keepingItself(situation: Situation): StrategyChoice | undefined {
  const { interpreter, readsItself, whyNo, byBinfmt } = situation;
  const wanted = byBinfmt && situation.wanted !== 'patched' ? undefined : situation.wanted;
  const asked = wanted === 'namespace' || wanted === 'patched';
  const called = asked || (readsItself !== undefined && wanted === undefined);
  if (!called) return undefined;
  const reason = asked ? 'it was asked for' : `it reads /proc/self/exe (${readsItself})`;
  const namespace = (): StrategyChoice => ({
    strategy: 'namespace',
    why: `${reason}: the launcher lies over ${interpreter.path} in a namespace of the program's own, so /proc/self/exe is the program; setuid programs do not work in there`,
  });
  const copy = (): StrategyChoice => ({
    strategy: 'patched',
    why: `${reason}: a copy that names the launcher as its interpreter is started, and /proc/self/exe is the copy`,
  });
  const ways = wanted === 'patched' || byBinfmt ? (['copy'] as const) : (['namespace', 'copy'] as const);
  const refusals: string[] = [];
  for (const way of ways) {
    // Where the programs of the system name the same interpreter, they would come to the launcher too.
    const unfit = way === 'namespace' && interpreter.kind === 'loader';
    const why = unfit ? `the system's own loader sits at ${interpreter.path}` : (whyNo?.[way] ?? UNTRIED)();
    if (why === undefined) return way === 'namespace' ? namespace() : copy();
    refusals.push(`${way === 'copy' ? 'no patched copy' : 'no namespace'}: ${why}`);
  }
  return byLoader(`${reason}, but ${refusals.join('; ')}`);
}

/** Chooses the strategy for a dynamic program. A wish that this machine cannot meet is passed over. */
export function chooseStrategy(situation: Situation): StrategyChoice {
  const { interpreter, machine, wanted } = situation;
  const { kind, path } = interpreter;
  if (wanted === 'loader') return byLoader('it was asked for');
  if (situation.byBinfmt)
    return keepingItself(situation) ?? byLoader('binfmt_misc hands the program itself to the launcher');
  if (wanted === 'namespace' || wanted === 'patched') {
    const kept = keepingItself(situation);
    if (kept !== undefined) return kept;
  }
  if (kind === 'nix-ld') return byNixLd(situation);
  if (kind === 'launcher') {
    if (machine === 'own') return { strategy: 'interpreter', why: `the launcher itself sits at ${path}` };
    return byLoader(`the launcher at ${path} is for another machine`);
  }
  const kept = keepingItself(situation);
  if (kept !== undefined) return kept;
  return byLoader(
    {
      missing: `nothing is at ${path}`,
      'stub-ld': `NixOS' stub-ld sits at ${path}`,
      loader: `the loader of another libc sits at ${path}`,
      unknown: `what sits at ${path} is not known`,
    }[kind],
  );
}
