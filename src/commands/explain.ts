// `nix-foreign explain PROGRAM`: every library, who needs it, which file serves it, and why the program starts as it does.

import { libcOf } from '../candidates/libc.ts';
import { inspectProgram, type Program } from '../candidates/program.ts';
import { ForeignError } from '../errors.ts';
import { readRecord } from '../fingerprint/records.ts';
import { enact } from '../launch/enact.ts';
import { type Interpreter, inspectInterpreter } from '../launch/interpreter.ts';
import { loadMap, type MapEntry } from '../launch/load-map.ts';
import type { LaunchPlan } from '../launch/plan.ts';
import { planFile } from '../launch/plan-files.ts';
import { shadowingEntries } from '../launch/shadowing.ts';
import { chooseStrategy } from '../launch/strategy.ts';
import type { Context } from '../pipeline/context.ts';
import { planProgram } from '../pipeline/plan-program.ts';
import { inUsablePlace } from '../pipeline/usable-place.ts';
import type { Place } from '../platform/places.ts';
import { printJson, printLine } from '../platform/print.ts';
import { libcVersionOf } from '../store/libc-version.ts';

export interface Explanation {
  readonly program: string;
  readonly kind: string;
  readonly strategy: string;
  readonly why: string;
  readonly plan: string;
  readonly interpreter?: { readonly path: string; readonly kind: string };
  readonly sha256?: string;
  readonly root?: string;
  readonly farm?: string;
  readonly loader?: string;
  /** In load order. */
  readonly objects?: readonly MapEntry[];
  /** Entries of the user's LD_LIBRARY_PATH that would come before the chosen libraries. */
  readonly shadowed?: readonly { readonly name: string; readonly by: string }[];
}

const DIRECT: Record<string, string> = {
  static: 'it is linked statically and needs no library',
  'static-pie': 'it is linked statically and needs no library',
  'already-nix': 'it was built by Nix and names its own loader in the store',
  script: 'it is a script, and the kernel starts its interpreter',
};

async function explainDynamic(
  program: Program,
  interpreterPath: string,
  libcKind: 'glibc' | 'musl',
  plan: LaunchPlan,
  place: Place,
  context: Context,
): Promise<Explanation> {
  const { storeDir } = context.location;
  const record =
    plan.root === undefined ? undefined : await readRecord(plan.root, plan.sha256 ?? '', storeDir);
  const fingerprint = record?.fingerprint;
  const libc = libcOf(program.elf as NonNullable<Program['elf']>, libcKind);
  const proven = fingerprint && (await enact(fingerprint, program.path, libc, place.farms));
  if (fingerprint === undefined || proven?.kind !== 'proven') {
    throw new ForeignError(`${program.given}: what was planned for it changed just now`, {
      code: 'changed',
      hint: `try again: nix-foreign explain ${program.given}`,
      exitCode: 125,
    });
  }
  const interpreter: Interpreter = inspectInterpreter(interpreterPath);
  const objects = loadMap(program, proven, fingerprint, storeDir);
  return {
    program: program.path,
    kind: `dynamic, ${libcKind}, ${fingerprint.program.system}`,
    strategy: plan.strategy,
    why: chooseStrategy(interpreter, libcVersionOf(proven.loader)).why,
    plan: planFile(place, program.path),
    interpreter: { path: interpreter.path, kind: interpreter.kind },
    sha256: fingerprint.program.sha256,
    ...(plan.root === undefined ? {} : { root: plan.root }),
    farm: proven.farm,
    loader: proven.loader,
    objects,
    shadowed: shadowingEntries(
      context.env['LD_LIBRARY_PATH'],
      objects.map(({ name }) => name),
    ),
  };
}

/** Resolves the program if need be, and gathers the whole story. */
export async function explain(given: string, context: Context): Promise<Explanation> {
  const program = inspectProgram(given, context.surroundings);
  return await inUsablePlace(context.surroundings.uid, async (place) => {
    const plan = await planProgram(program, context, place, 'as-needed');
    const { kind } = program;
    if (kind.kind === 'dynamic') {
      return await explainDynamic(program, kind.interpreter, kind.libc, plan, place, context);
    }
    return {
      program: program.path,
      kind: kind.kind,
      strategy: plan.strategy,
      why: DIRECT[kind.kind] ?? 'it needs nothing of ours',
      plan: planFile(place, program.path),
    };
  });
}

function objectLines({ name, file, found, match, neededBy }: MapEntry): string[] {
  const how = match === null || match === 'exact' ? found : `${found}, ${match} match`;
  return [`  ${name}`, `    ${file}`, `    ${how}; needed by ${neededBy.join(', ') || 'the kernel'}`];
}

/** The explanation as text for people. */
export function explanationText(explanation: Explanation): string {
  const { objects, shadowed } = explanation;
  const rows: [string, string | undefined][] = [
    ['program', explanation.program],
    ['kind', explanation.kind],
    ['strategy', explanation.strategy],
    ['because', explanation.why],
    ['loader', explanation.loader],
    ['sha256', explanation.sha256],
    ['root', explanation.root],
    ['farm', explanation.farm],
    ['plan', explanation.plan],
  ];
  const head = rows
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${key.padEnd(9)} ${value}`);
  const load =
    objects === undefined
      ? []
      : ['', `loads ${objects.length} objects, in this order:`, ...objects.flatMap(objectLines)];
  const warn = (shadowed ?? []).map(
    ({ name, by }) => `warning: LD_LIBRARY_PATH comes first and has another ${name}: ${by}`,
  );
  return [...head, ...load, ...(warn.length > 0 ? ['', ...warn] : [])].join('\n');
}

export async function explainCommand(
  given: string,
  options: { json?: boolean },
  context: Context,
): Promise<void> {
  const explanation = await explain(given, context);
  if (options.json) printJson(explanation);
  else printLine(explanationText(explanation));
}
