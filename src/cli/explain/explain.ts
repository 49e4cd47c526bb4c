// `nix-foreign explain PROGRAM`: every library, who needs it, which file serves it and why, and how the program starts.
import path from 'node:path';
import { type Choices, choiceLines, hasChoices } from '../../choices/choices.ts';
import { findMachine } from '../../elf/machine.ts';
import { ForeignError } from '../../host/errors.ts';
import { listText, printJson, printLine } from '../../host/output.ts';
import { fileWord } from '../../host/shell-words.ts';
import type { IndexCriterion } from '../../index/rank-matches.ts';
import { ruleFor } from '../../integrations/binfmt/binfmt-registry.ts';
import { disagreementOf } from '../../ldso/trace-text.ts';
import { planFile } from '../../plan/plan-files.ts';
import type { LaunchPlan } from '../../plan/plan-format.ts';
import { inspectInterpreter, type Situation, whyNoNamespace } from '../../plan/strategy.ts';
import { asPlanned, strategyOf } from '../../resolve/choose-strategy.ts';
import type { Context } from '../../resolve/context.ts';
import { type FetchedLibrary, readFetched } from '../../resolve/fetched-record.ts';
import { forOriginal } from '../../resolve/for-original.ts';
import { viewFor } from '../../resolve/view-for.ts';
import { filesByPath } from '../../resolve/write-plan.ts';
import { nameOfStoreObject } from '../../store/store-location.ts';
import { interpreterOfChildren, reportOfChildren } from '../../view/children.ts';
import { whyNoView } from '../../view/make-view.ts';
import { candidateRow } from '../choose/candidate-rows.ts';
import type { CandidateReport } from './candidates.ts';
import { type DynamicFacts, type Facts, withFacts } from './facts.ts';
import { libraryPathComesFirst, type MapEntry, shadowingEntries } from './load-map.ts';
import { type OptionalStory, optionalLines, optionalWhy } from './optional.ts';
import { cutList, treeLines } from './tree.ts';
import { type Why, whyOf, whyText } from './why.ts';

type WhyNo = NonNullable<Situation['whyNo']>;

/** One object of the process, and what else could have served its name. */
interface ExplainedObject extends MapEntry {
  /** Who loaded it: the first that needs it; null for the loader, which the kernel starts. */
  readonly loadedBy: string | null;
  /** Store object of the glibc that it was built with, where that is known. */
  readonly glibc: string | null;
  /** How many libraries of the store offer the name; 0 for what is not chosen from the store. */
  readonly candidates: number;
  /** The next best, and the first criterion by which it lost. */
  readonly runnerUp: {
    readonly file: string;
    readonly object: string;
    readonly criterion: string;
    readonly detail: string;
  } | null;
}

export interface Explanation {
  readonly program: string;
  readonly kind: string;
  readonly strategy: string;
  readonly why: string;
  /** What foreign programs that it starts will miss, and what mends it; undefined where nothing is missed. */
  readonly children?: string;
  /** Undefined for a patched file, which needs none. */
  readonly plan?: string;
  readonly interpreter?: { readonly path: string; readonly kind: string };
  readonly sha256?: string;
  /** Where the set came from: resolved here, a saved fingerprint, or a fingerprint's file or address. */
  readonly origin?: string;
  readonly root?: string;
  readonly farm?: string;
  readonly loader?: string;
  /** What the user chose by hand. */
  readonly choices?: Choices;
  /** In load order. */
  readonly objects?: readonly ExplainedObject[];
  /** Where the simulated loader differs from the real one, which `objects` follow; null when they agree. */
  readonly disagreement?: string | null;
  /** What the loader's own list does not show: what it will say at the start, or refuse. */
  readonly warnings?: readonly string[];
  /** What a file index brought, because the store did not have it. */
  readonly fetched?: readonly FetchedLibrary[];
  /** What it may open while it runs. */
  readonly optional?: OptionalStory;
  /** Entries of the user's LD_LIBRARY_PATH that would come before the chosen libraries. */
  readonly shadowed?: readonly { readonly name: string; readonly by: string }[];
}

const DIRECT: Record<string, string> = {
  static: 'it is linked statically and needs no library',
  'static-pie': 'it is linked statically and needs no library',
  'already-nix': 'it was built by Nix and names its own loader in the store',
  script: 'it is a script, and the kernel starts its interpreter',
};

/** An object with its runner-up: of those that lost the one the solver would have taken next. */
function explainedObject(entry: MapEntry, report: CandidateReport | undefined): ExplainedObject {
  const candidates = report?.of(entry.name)?.candidates ?? [];
  const next = candidates.find(({ chosen }) => !chosen);
  const settled =
    next?.loss?.criterion === 'whole set'
      ? report?.inFull(entry.name)?.candidates.find(({ chosen }) => !chosen)
      : next;
  const row = settled && candidateRow(settled);
  return {
    ...entry,
    loadedBy: entry.neededBy[0] ?? null,
    glibc: report?.glibcOf(entry.name) ?? null,
    candidates: candidates.length,
    runnerUp: row?.lost ? { file: row.file, object: row.object, ...row.lost } : null,
  };
}

/** Errors here are those after the list: the real loader has accepted the rest. */
function warningsOf(
  { errors, warnings }: DynamicFacts['trace'],
  report: CandidateReport | undefined,
): string[] {
  const late = errors.filter(({ stage }) => stage === 'start');
  return [
    ...new Set([...late, ...warnings].map(({ message }) => message)),
    ...undefinedSymbolLines(report?.undefinedSymbols ?? []),
  ];
}

/** One line for each object. */
function undefinedSymbolLines(undefinedSymbols: CandidateReport['undefinedSymbols']): string[] {
  const symbolsBy = Map.groupBy(undefinedSymbols, ({ neededBy }) => neededBy);
  return [...symbolsBy].map(([neededBy, each]) => {
    const [what, it] = each.length === 1 ? ['symbol', 'it'] : ['symbols', 'them'];
    const names = cutList(each.map(({ symbol }) => symbol));
    return `${neededBy} needs the ${what} ${names} when it first calls ${it}, and nobody here defines ${it}`;
  });
}

/** Only what is missed; a start that lets them start says so itself. */
function childrenOf({ program, plan, dynamic }: DynamicFacts, { launcher }: Context) {
  const interpreter = interpreterOfChildren(dynamic.interpreter, findMachine(dynamic.elf));
  const rule = ruleFor(dynamic.elf);
  const { what, remedy } = reportOfChildren(program.typedName, { ...plan, rule }, interpreter, () =>
    whyNoView(launcher),
  );
  return remedy === undefined ? {} : { children: `${what}; to mend it: ${remedy}` };
}

/** What could be done now, where the plan does not say that it was done. A copy is not tried. */
function possibleNow({ plan, dirs, dynamic, set }: DynamicFacts, context: Context): WhyNo {
  const { interpreter } = dynamic;
  const planned = asPlanned(plan);
  const view = () => {
    const farm = { directory: set.farm, names: [...set.links.keys()] };
    const byPath = filesByPath(dynamic.plainNames, set);
    const found = viewFor(context, dirs, { interpreter, farm, byPath });
    return found.kind === 'none' ? found.why : undefined;
  };
  return {
    ...planned,
    view: plan.strategy === 'view' ? planned.view : view,
    namespace:
      plan.strategy === 'namespace' ? planned.namespace : () => whyNoNamespace(context.launcher, interpreter),
  };
}

/** A plan that was made under a manner stays as it is when the manner is gone: what it would be now is another way. */
function whyOfStrategy(facts: DynamicFacts): string {
  const { program, plan, dynamic, set, context } = facts;
  const { strategy, why } = strategyOf(dynamic, set, context, possibleNow(facts, context));
  if (strategy === plan.strategy) return why;
  const anew = `nix-foreign resolve --strategy auto ${fileWord(program.typedName)}`;
  return `it was asked for when the plan was made, or nothing else could be done then; to have it chosen anew: ${anew}`;
}

/** A user cannot lay out the farm of a plan for everybody: what was laid out just now is none that a start uses. */
function farmOf({ plan, place, set }: DynamicFacts): string {
  const planned = plan.directories.find((each) => path.dirname(each) === place.farms);
  return (place.shared ? planned : undefined) ?? set.farm;
}

function explainDynamic(facts: DynamicFacts, context: Context): Explanation {
  const { program, plan, place, dynamic, fingerprint, set, map, trace, choices, report } = facts;
  const interpreter = inspectInterpreter(dynamic.interpreter);
  const names = map.map(({ name }) => name);
  return {
    program: program.path,
    kind: `dynamic, ${dynamic.libc.kind}, ${fingerprint.program.system}`,
    strategy: plan.strategy,
    why: whyOfStrategy(facts),
    plan: planFile(place, program.path),
    interpreter: { path: interpreter.path, kind: interpreter.kind },
    ...childrenOf(facts, context),
    sha256: fingerprint.program.sha256,
    ...(plan.origin === undefined ? {} : { origin: plan.origin }),
    ...(plan.root === undefined ? {} : { root: plan.root }),
    farm: farmOf(facts),
    loader: set.loader,
    ...(hasChoices(choices) ? { choices } : {}),
    objects: map.map((entry) => explainedObject(entry, report)),
    disagreement: disagreementOf(trace, set.objects, dynamic.libc.kind, set.loader) ?? null,
    warnings: warningsOf(trace, report),
    ...fetchedOf(facts),
    optional: facts.optional,
    shadowed: libraryPathComesFirst(plan.strategy, context.env)
      ? shadowingEntries(
          context.env['LD_LIBRARY_PATH'],
          names,
          { ...dynamic.elf, libc: dynamic.libc.kind },
          plan.strategy === 'nix-ld' ? undefined : set,
        ).filter(({ by }) => !set.objects.some(({ path: opened }) => opened === by))
      : [],
  };
}

/** Those that the set still has from there. */
function fetchedOf({ place, fingerprint }: DynamicFacts): Pick<Explanation, 'fetched'> {
  const used = new Set(fingerprint.libraries.map(({ storePath }) => storePath));
  const fetched = readFetched(place, fingerprint.program.sha256).filter(({ storePath }) =>
    used.has(storePath),
  );
  return fetched.length === 0 ? {} : { fetched };
}

/** What a plan without libraries starts instead of the program. */
function notDirect({ execute, origin }: LaunchPlan): string | undefined {
  return execute === undefined || origin === undefined ? undefined : `it is ${origin}`;
}

/** What is done for a script or a program of Nix is done for what it starts. */
function childrenBy({ strategy, launcherVariables }: LaunchPlan): string | undefined {
  if (strategy === 'view')
    return 'its foreign children start too: it runs in a view, where the launcher is at every interpreter path';
  if (launcherVariables === undefined) return undefined;
  return `its foreign children start too: nix-ld enters the launcher, by ${launcherVariables.join(', ')}`;
}

function whyDirect(plan: LaunchPlan): string | undefined {
  const clauses = [childrenBy(plan), notDirect(plan)].filter((each) => each !== undefined);
  return clauses.length === 0 ? undefined : clauses.join('; ');
}

function explanationOf(facts: Facts, context: Context): Explanation {
  if ('dynamic' in facts) return explainDynamic(facts, context);
  const { program, plan, place } = facts;
  return {
    program: program.path,
    kind: program.appImage === undefined ? program.kind.kind : 'AppImage',
    strategy: plan.strategy,
    why: whyDirect(plan) ?? DIRECT[program.kind.kind] ?? 'it needs nothing of ours',
    plan: planFile(place, program.path),
  };
}

/** Of a name that may be opened while the program runs. */
interface OptionalWhy {
  readonly name: string;
  readonly opened: string;
}

/** Resolves the program if need be, and gathers all that is known. */
async function explain(typedName: string, context: Context): Promise<Explanation> {
  return await forOriginal(typedName, context, async (name, patched) => {
    const explanation = await withFacts(name, context, (facts) => explanationOf(facts, context));
    return patched === undefined ? explanation : asPatched(explanation, patched.farm);
  });
}

/** What starts is the file itself; the rest is about what it was, whose libraries it names. */
function asPatched({ plan: _, root: __, ...explanation }: Explanation, farm: string): Explanation {
  return {
    ...explanation,
    kind: `${explanation.kind}, patched`,
    strategy: 'patched file',
    why: `its libraries are written into it; undo: nix-foreign unpatch ${fileWord(explanation.program)}`,
    farm,
    shadowed: [],
  };
}

/**
 * All that is known of one name, or of the object that another name leads to.
 * @throws ForeignError `not-loaded` when the program does not load it.
 */
async function explainName(typedName: string, name: string, context: Context): Promise<Why | OptionalWhy> {
  return await forOriginal(typedName, context, (original) =>
    withFacts(original, context, (facts) => {
      const map = 'dynamic' in facts ? facts.map : [];
      const asked = (each: MapEntry) => each.how?.requests.some((request) => request.name === name);
      const entry = map.find((each) => each.name === name) ?? map.find(asked);
      if (entry !== undefined && 'dynamic' in facts) return whyOf(entry, facts.report?.inFull(entry.name));
      const opened = 'dynamic' in facts ? optionalWhy(facts.optional, name) : undefined;
      if (opened !== undefined) return { name, opened };
      throw new ForeignError(`${typedName}: it does not load ${name}`, {
        code: 'not-loaded',
        hint: `see what it loads with: nix-foreign explain ${fileWord(typedName)}`,
        exitCode: 125,
      });
    }),
  );
}

export async function explainCommand(
  typedName: string,
  options: { json?: boolean; why?: string | undefined },
  context: Context,
): Promise<void> {
  if (options.why !== undefined) {
    const why = await explainName(typedName, options.why, context);
    if (options.json) return printJson(why);
    return printLine('opened' in why ? why.opened : whyText(why));
  }
  const explanation = await explain(typedName, context);
  if (options.json) printJson(explanation);
  else printLine(explanationText(explanation));
}

function headLines(explanation: Explanation): string[] {
  const rows: [string, string | undefined][] = [
    ['program', explanation.program],
    ['kind', explanation.kind],
    ['strategy', explanation.strategy],
    ['because', explanation.why],
    ['children', explanation.children],
    ['loader', explanation.loader],
    ['sha256', explanation.sha256],
    ['set', explanation.origin],
    ['root', explanation.root],
    ['farm', explanation.farm],
    ['plan', explanation.plan],
  ];
  const chosen = explanation.choices === undefined ? [] : choiceLines(explanation.choices);
  return [
    ...rows.filter(([, value]) => value !== undefined).map(([key, value]) => `${key.padEnd(9)} ${value}`),
    ...chosen.map((line) => `${'by hand'.padEnd(9)} ${line}`),
  ];
}

const BECAUSE: Readonly<Record<IndexCriterion, string>> = {
  preferred: 'you prefer it',
  'known provider': 'the library is known to be of this package',
  'already chosen': 'it has more of what is needed, or was there already',
  directory: 'it lies in lib itself',
  're-export': 'it has the file, and no link to that of another',
  name: 'the package is named like the library',
  toplevel: 'it is a package of nixpkgs itself',
  bundle: 'it is no bundle of many libraries',
  covers: 'it has more of what is needed',
  variant: 'it is no variant of another package',
  version: 'it is the newest',
  attribute: 'its attribute is the shortest',
  path: 'its store path is the first by name',
};

function fetchedLine({ name, storePath, attribute, others, because }: FetchedLibrary): string {
  const where = attribute === '' ? '' : ` (${attribute})`;
  const rest =
    others.length === 0
      ? 'the index has it nowhere else'
      : `the index also has it in ${listText(others.map(nameOfStoreObject), 3)}`;
  const why = because !== undefined && because in BECAUSE ? `, taken because ${BECAUSE[because]}` : '';
  return `  ${name}: ${nameOfStoreObject(storePath)}${where}${why}; ${rest}`;
}

function fetchedLines(fetched: readonly FetchedLibrary[]): string[] {
  const [first] = fetched;
  if (first === undefined) return [];
  const head = `from the file index, not in the store before ${first.when.slice(0, 10)}:`;
  return ['', head, ...fetched.map(fetchedLine)];
}

/** The explanation as text for people: the head, the tree of objects, warnings. */
export function explanationText(explanation: Explanation): string {
  const { objects, shadowed = [], disagreement, warnings = [] } = explanation;
  const load =
    objects === undefined
      ? []
      : [
          '',
          `loads ${objects.length} objects, in the order of the numbers, each below the one that loads it:`,
          ...treeLines(path.basename(explanation.program), objects),
        ];
  const warn = [
    ...(disagreement == null
      ? []
      : [`the simulation of the loader differs from the loader itself, which is shown: ${disagreement}`]),
    ...warnings,
    ...shadowed.map(({ name, by }) => `LD_LIBRARY_PATH comes first and has another ${name}: ${by}`),
  ].map((line) => `warning: ${line}`);
  const optional = explanation.optional === undefined ? [] : optionalLines(explanation.optional);
  const fetched = fetchedLines(explanation.fetched ?? []);
  return [
    ...headLines(explanation),
    ...load,
    ...fetched,
    ...optional,
    ...(warn.length > 0 ? ['', ...warn] : []),
  ].join('\n');
}
