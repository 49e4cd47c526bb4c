// What a program may open while it runs, and what it opened before → lines for people, and what is known of one name.
import path from 'node:path';
import type { Choices } from '../../choices/choices.ts';
import { elfFileAt } from '../../elf/open-elf.ts';
import { pathOfStoreFile, type VerifiedSet } from '../../farm/verify-set.ts';
import type { Fingerprint } from '../../fingerprint/fingerprint.ts';
import type { Directories } from '../../host/directories.ts';
import type { LaunchPlan } from '../../plan/plan-format.ts';
import {
  type LearnedName,
  type LearnedPlugIn,
  readRunTimeRecord,
  runTimeDirectoryOf,
} from '../../plan/run-time-record.ts';
import type { Context } from '../../resolve/context.ts';
import type { DynamicProgram } from '../../resolve/job.ts';
import { type ToldReport, told, withOptionalLibraries } from '../../resolve/optional-libraries.ts';
import { whyNoModule } from '../../resolve/run-time.ts';
import { solveProgram } from '../../resolve/solve-program.ts';
import type { Catalogue } from '../../store/catalogue.ts';
import { cutList } from './tree.ts';

/** A library of the set that nothing needs at the start. */
interface OptionalFile {
  readonly name: string;
  readonly file: string;
  /** The user added it. */
  readonly added?: true;
  /** Names of others of the kind that need it; empty where the program itself opens it. */
  readonly neededBy: readonly string[];
}

export interface OptionalStory {
  /** What may be opened, where its name was read, and why it was left out. */
  readonly reports: readonly ToldReport[];
  readonly files: readonly OptionalFile[];
  /** Names that the program asked for while it ran. */
  readonly names: readonly LearnedName[];
  /** What it opened from outside the store. */
  readonly plugIns: readonly LearnedPlugIn[];
  /** Why nothing can be found while it runs; null where it can. */
  readonly notOnDemand: string | null;
}

/** What is asked of a program whose set is known. */
interface OptionalQuestion {
  readonly program: DynamicProgram;
  readonly plan: LaunchPlan;
  readonly fingerprint: Fingerprint;
  readonly set: VerifiedSet;
  readonly choices: Choices;
  readonly catalogue: Catalogue | undefined;
}

/** What is there for being opened; where the user added libraries, these and what only they need, too. */
function optionalFiles({ program, fingerprint, set, choices }: OptionalQuestion): OptionalFile[] {
  const loaded = new Set(set.objects.map(({ name }) => name));
  const isAdded = (name: string): boolean => Object.hasOwn(choices.add ?? {}, name);
  const files = fingerprint.libraries
    .filter(({ match, soname }) => match === 'dlopen' || (choices.add !== undefined && !loaded.has(soname)))
    .map((each): [string, string] => [each.soname, pathOfStoreFile(each)]);
  const outside = [...(program.added ?? [])].filter(([name]) => !loaded.has(name));
  const optional = new Map([...files, ...outside]);
  const needed = new Map([...optional].map(([name, file]) => [name, elfFileAt(file)?.needed ?? []]));
  return [...optional].map(([name, file]) => ({
    name,
    file,
    ...(isAdded(name) ? { added: true } : {}),
    neededBy: [...needed].filter(([, names]) => names.includes(name)).map(([by]) => by),
  }));
}

function reportsOf(
  { program, catalogue, choices }: OptionalQuestion,
  learned: { readonly names: readonly LearnedName[]; readonly plugIns: readonly LearnedPlugIn[] },
): readonly ToldReport[] {
  if (catalogue === undefined) return [];
  const { problem, outcome } = solveProgram(program, catalogue, new Set(), choices);
  return outcome.kind === 'solution'
    ? withOptionalLibraries(program, { problem, solution: outcome }, learned).reports.map(told)
    : [];
}

export function optionalStory(
  question: OptionalQuestion,
  context: Context,
  place: Directories,
): OptionalStory {
  const { program, plan, set } = question;
  const directory = runTimeDirectoryOf(plan);
  const record = directory === undefined ? undefined : readRunTimeRecord(directory);
  const [names, plugIns] = [record?.names ?? [], record?.plugIns ?? []];
  const { kind: libc, isFamily } = program.libc;
  const objects = set.objects
    .filter(({ name }) => !isFamily(path.basename(name)))
    .flatMap(({ path: file }) => file ?? []);
  const request = { program, libc, loader: set.loader, objects };
  return {
    reports: reportsOf(question, { names, plugIns }),
    files: optionalFiles(question),
    names,
    plugIns: plugIns.filter(({ when }) => when !== undefined),
    notOnDemand:
      directory === undefined ? (whyNoModule(request, context, place) ?? 'nobody planned it') : null,
  };
}

const WHERE: Record<ToldReport['source'], string> = {
  note: 'a note of',
  data: 'data of',
  family: 'what is known of programs like',
  learned: 'asked for by',
  'plug-in': 'needed by the plug-in',
};

function reportLine({ name, readIn, source, priority, taken, why }: ToldReport): string {
  const where = source === 'plug-in' ? 'a plug-in' : `${WHERE[source]} ${readIn}`;
  const weight = source === 'note' ? `, ${priority}` : '';
  const verdict = taken === undefined ? `left out: ${why}` : taken === name ? 'taken' : `taken: ${taken}`;
  return `  ${name} (${where}${weight}): ${source === 'plug-in' && taken !== undefined ? `served: ${taken || 'it needs nothing'}` : verdict}`;
}

function day(when: string): string {
  return when.slice(0, 16).replace('T', ' ');
}

/** Sections for `explain`; none for a program that opens nothing. */
export function optionalLines({ reports, files, names, plugIns, notOnDemand }: OptionalStory): string[] {
  const served = cutList(files.map(({ name }) => name));
  const sections = [
    ['may open while it runs:', reports.map(reportLine)],
    [
      'learned from earlier starts:',
      [
        ...names.map(({ name, requester, when, why }) => {
          const by = requester === '' ? 'the program' : requester;
          return `  ${day(when)}  ${name}, for ${by}${why === undefined ? '' : `: ${why}`}`;
        }),
        ...plugIns.map((each) => `  ${day(each.when ?? '')}  ${each.path}, from outside the store`),
      ],
    ],
  ] as const;
  const told = sections.flatMap(([title, lines]) => (lines.length === 0 ? [] : ['', title, ...lines]));
  const set = files.length === 0 ? [] : ['', `in the set for that: ${served}`];
  const never = notOnDemand === null ? [] : ['', `nothing is looked for while it runs: ${notOnDemand}`];
  return [...told, ...set, ...never];
}

/** What is known of a name that is not loaded at the start; undefined where nobody spoke of it. */
export function optionalWhy({ reports, files, names }: OptionalStory, name: string): string | undefined {
  const report = reports.find((each) => each.name.split(', ').includes(name) || each.taken === name);
  const file = files.find((each) => each.name === name);
  const learned = names.find((each) => each.name === name);
  if (report === undefined && file === undefined && learned === undefined) return undefined;
  return [
    name,
    file === undefined ? '  not in the set' : `  ${file.file}`,
    '  it may be opened while the program runs; nothing needs it at the start',
    ...(file?.added ? ['  you added it'] : []),
    ...(report === undefined ? [] : [reportLine(report)]),
    ...(file === undefined || file.neededBy.length === 0
      ? []
      : [`  needed by ${cutList(file.neededBy)}, which may be opened`]),
    ...(learned === undefined ? [] : [`  asked for on ${day(learned.when)}`]),
  ].join('\n');
}
