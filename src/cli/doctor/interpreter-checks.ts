// What sits at the interpreter path of each machine → how its programs start, and what to do for more.
import { machinesRunBy } from '../../elf/machine.ts';
import type { Directories } from '../../host/directories.ts';
import { runs32BitPrograms } from '../../host/processor.ts';
import { entryBy } from '../../host/registered-rule.ts';
import { ruleFor } from '../../integrations/binfmt/binfmt-registry.ts';
import { INTERPRETER_NAMES, isNixOs, optionOfNixOs } from '../../plan/interpreter-words.ts';
import { type Interpreter, type InterpreterKind, inspectInterpreter } from '../../plan/strategy.ts';
import type { Check } from './checks.ts';
import { entersLauncher } from './nix-ld-loader.ts';
import type { ThisSession } from './summary.ts';

const PREFIX = 'programs start with nix-run-foreign in front; those that read /proc/self/exe';

/** As `plan/strategy.ts` chooses. */
const MEANINGS_OF_KINDS: Readonly<Record<InterpreterKind, string>> = {
  'nix-ld':
    "programs keep /proc/self/exe; by their own names they start with nix-ld's own libraries, if at all",
  launcher: 'every foreign program starts with its own libraries',
  loader: "foreign programs start without us there, with that system's libraries",
  missing: `${PREFIX} or start others get a view, where one can be made`,
  'stub-ld': `${PREFIX} or start others get a view, where one can be made`,
  unknown: `${PREFIX} start from a copy`,
};

function remedyOfPath({ kind, path }: Interpreter, onNixOs: boolean): string {
  if (kind === 'nix-ld') {
    const named = onNixOs ? `${optionOfNixOs(path)} and a new login` : 'NIX_LD=/path/to/nix-run-foreign';
    return `to start them with libraries of their own: ${named}, or the shell hook (docs/ways-to-start.md)`;
  }
  if (onNixOs) return `to start them by their own names: ${optionOfNixOs(path)}`;
  const link =
    kind === 'missing' ? `the shell hook, shims, or a link at ${path}` : 'the shell hook, or shims';
  return `to start them by their own names: ${link} (docs/ways-to-start.md)`;
}

/** How programs come to the launcher: by a rule, which counts before what sits at the path, or by nix-ld there. */
const MEANINGS_OF_ENTRIES = {
  'with-program':
    'a rule of binfmt_misc hands programs to the launcher: they start by their loader or from a copy',
  'as-loader':
    'by a rule of binfmt_misc the launcher is their loader: every foreign program starts with its own libraries',
  'by-nix-ld': 'it enters the launcher: every foreign program starts with its own libraries',
} as const;

/** `entry`: undefined where programs do not come to the launcher, or it sits there itself. */
export function checkInterpreter(
  system: string,
  interpreter: Interpreter,
  onNixOs: boolean,
  entry?: keyof typeof MEANINGS_OF_ENTRIES,
): Check {
  const { kind, path } = interpreter;
  const meaning = entry === undefined ? MEANINGS_OF_KINDS[kind] : MEANINGS_OF_ENTRIES[entry];
  const detail = `at ${path}: ${INTERPRETER_NAMES[kind]}: ${meaning}`;
  if (entry !== undefined) return { subject: system, state: 'ok', detail };
  if (kind === 'launcher' || kind === 'loader') return { subject: system, state: 'ok', detail };
  return { subject: system, state: 'note', detail, remedy: remedyOfPath(interpreter, onNixOs) };
}

export function checkInterpreters({ arch, env }: ThisSession, dirs: Directories | undefined): Check[] {
  const [own] = machinesRunBy(arch);
  return machinesRunBy(arch).map((machine) => {
    const { interpreter, system } = machine;
    if (machine !== own && dirs !== undefined && !runs32BitPrograms())
      return { subject: system, state: 'note', detail: 'this kernel runs no 32-bit programs' };
    const rule = ruleFor(machine);
    const found = inspectInterpreter(interpreter);
    const byNixLd = found.kind === 'nix-ld' && entersLauncher(env, machine) ? 'by-nix-ld' : undefined;
    const entry = (rule === undefined ? undefined : entryBy(rule)) ?? byNixLd;
    return checkInterpreter(system, found, isNixOs(), entry);
  });
}
