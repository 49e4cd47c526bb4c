// How a program is started, and what sits at the interpreter path → what its children will miss, and the line that
// mends it.
import type { Machine } from '../elf/machine.ts';
import { fileWord } from '../host/shell-words.ts';
import { INTERPRETER_NAMES, isNixOs, remedyAtPath } from '../plan/interpreter-words.ts';
import type { LaunchPlan } from '../plan/plan-format.ts';
import { type Interpreter, inspectInterpreter } from '../plan/strategy.ts';
import { interpreterPaths } from './shown-libraries.ts';

interface ChildrenReport {
  /** One clause. */
  readonly what: string;
  /** What to type or to set; undefined where nothing is missed. */
  readonly remedy?: string;
}

const WELL = { what: 'foreign programs that it starts find their own libraries' } as const;

const MISSED = 'and /bin/bash, /usr/bin/python3, /usr/lib and /usr/share are as on this machine';

/**
 * What sits where its children look. A program that names the launcher by a path of its own, as those of an AppImage do
 * once it is unpacked, has children that do not.
 */
export function interpreterOfChildren(named: string, machine: Machine | undefined): Interpreter {
  const own = inspectInterpreter(named);
  if (own.kind !== 'launcher' || machine === undefined) return own;
  return interpreterPaths(machine).includes(named) ? own : inspectInterpreter(machine.interpreter);
}

/** `rule`: the file of the rule by which they start. `whyNoView`: asked only where that is what would mend it. */
export function reportOfChildren(
  program: string,
  {
    strategy,
    launcherVariables,
    rule,
  }: Pick<LaunchPlan, 'strategy' | 'launcherVariables'> & {
    readonly rule?: string | undefined;
  },
  { kind, path }: Pick<Interpreter, 'kind' | 'path'>,
  whyNoView: () => string | undefined,
): ChildrenReport {
  if (strategy === 'view' || kind === 'launcher' || launcherVariables !== undefined) return WELL;
  if (rule !== undefined) return { what: `${WELL.what}, by a rule of binfmt_misc, ${MISSED}` };
  if (strategy === 'nix-ld')
    return {
      what: 'foreign programs that it starts get its libraries',
      remedy: `nix-run-foreign --strategy auto ${fileWord(program)}`,
    };
  if (strategy === 'namespace')
    return {
      what: `${WELL.what}, ${MISSED}`,
      remedy: `nix-run-foreign --strategy view ${fileWord(program)}`,
    };
  if (kind === 'loader')
    return { what: `foreign programs that it starts get the libraries of the system, by ${path}` };
  const at = `${INTERPRETER_NAMES[kind]} is at ${path}`;
  const why = whyNoView();
  return {
    what: `foreign programs that it starts do not start (${at}), ${MISSED}`,
    remedy:
      why === undefined
        ? `nix-run-foreign --strategy view ${fileWord(program)}`
        : `no view can be made here (${why}): ${remedyAtPath({ path }, isNixOs())}`,
  };
}
