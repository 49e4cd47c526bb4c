// What the launcher has to check and do → the NUL-separated bytes it reads (PLAN.md), and back.

export const STRATEGIES = [
  'direct',
  'loader',
  'nix-ld',
  'interpreter',
  'namespace',
  'patched',
  'view',
] as const;
export type Strategy = (typeof STRATEGIES)[number];

export function isStrategy(name: string | undefined): name is Strategy {
  return STRATEGIES.some((each) => each === name);
}

/** One element of the new argv. */
export type Argument =
  | { readonly kind: 'literal'; readonly text: string }
  | { readonly kind: 'argv0' }
  | { readonly kind: 'program' }
  /** The path by which the program was found. */
  | { readonly kind: 'found' }
  /** The user's LD_LIBRARY_PATH, if any, then this list. */
  | { readonly kind: 'library-path'; readonly list: string };

export interface LaunchPlan {
  readonly program: string;
  readonly identity: string;
  readonly strategy: Strategy;
  /** Path of the GC root link; absent for programs that need no library of ours. */
  readonly root?: string;
  readonly sha256?: string;
  /** Where the set came from: `resolved`, or a fingerprint's file or address. */
  readonly origin?: string;
  /** Must exist. */
  readonly files: readonly string[];
  /** Must be exactly these files. */
  readonly watched: readonly { readonly identity: string; readonly path: string }[];
  /** Who sits at the program's interpreter path; not looked at by whoever sits there and was entered. */
  readonly interpreterPath?: { readonly identity: string; readonly path: string };
  /** The rule by which binfmt_misc hands the program to the launcher; not looked at by one that was called so. */
  readonly rule?: string;
  /** Must not exist. */
  readonly absent: readonly string[];
  /** Must be ours alone to write. */
  readonly directories: readonly string[];
  /** What to execute instead of the program. */
  readonly execute?: string;
  /** A file that the launcher lies over, in a mount namespace of the program's own. */
  readonly interpreterInNamespace?: string;
  /** What is put in place in a view of the program's own; a link to the launcher where no source is named. */
  readonly view?: readonly ViewEntry[];
  /** Must be exactly these files, or not exist, for a start by its name; inside a view they are other ones. */
  readonly watchedOutside?: readonly { readonly identity: string; readonly path: string }[];
  readonly absentOutside?: readonly string[];
  /** The program's loader, for whoever enters it as the program's interpreter. */
  readonly loader?: string;
  /** What that loader searches first: absolute directories, separated by `:`. */
  readonly libraryPath?: string;
  /** What that loader asks for libraries that it finds nowhere: the module's path in the run-time directory. */
  readonly auditModule?: string;
  /** Set in the environment to the launcher's own path, in front of everything else. */
  readonly launcherVariables?: readonly string[];
  /** Set in the environment to the working directory, and to argv[0]. */
  readonly directoryVariables?: readonly string[];
  readonly argv0Variables?: readonly string[];
  /** Lists of directories for nix-ld: the user's own, in the environment, goes behind. */
  readonly nixLdLists?: readonly (readonly [name: string, list: string])[];
  /** Set in the environment, in this order, after those and in front of everything else. */
  readonly environment: readonly (readonly [name: string, value: string])[];
  /** The arguments in front of the user's; empty: argv stays as it is. */
  readonly argv: readonly Argument[];
}

export interface ViewEntry {
  /** Absolute, without blanks and links. */
  readonly target: string;
  /** A directory that is bound there, read-only, where it ends in `/`. */
  readonly source?: string;
}

const HEADER = 'nix-run-foreign plan 2';

function argumentRecord(argument: Argument): string {
  switch (argument.kind) {
    case 'literal':
      return `A${argument.text}`;
    case 'argv0':
      return '0';
    case 'program':
      return 'P';
    case 'found':
      return 'F';
    case 'library-path':
      return `L${argument.list}`;
  }
}

/**
 * The plan's bytes. Strings are written as UTF-8.
 * @throws RangeError for a NUL in a value, which no path or environment entry can have.
 */
export function serialisePlan(plan: LaunchPlan): Buffer {
  const records = [
    HEADER,
    `p${plan.program}`,
    `i${plan.identity}`,
    `s${plan.strategy}`,
    ...(plan.root === undefined ? [] : [`r${plan.root}`]),
    ...(plan.sha256 === undefined ? [] : [`h${plan.sha256}`]),
    ...(plan.origin === undefined ? [] : [`o${plan.origin}`]),
    ...plan.directories.map((directory) => `d${directory}`),
    ...plan.files.map((file) => `f${file}`),
    ...plan.watched.map(({ identity, path }) => `w${identity} ${path}`),
    ...(plan.interpreterPath === undefined
      ? []
      : [`k${plan.interpreterPath.identity} ${plan.interpreterPath.path}`]),
    ...(plan.rule === undefined ? [] : [`t${plan.rule}`]),
    ...(plan.watchedOutside ?? []).map(({ identity, path }) => `u${identity} ${path}`),
    ...plan.absent.map((file) => `a${file}`),
    ...(plan.absentOutside ?? []).map((file) => `e${file}`),
    ...(plan.execute === undefined ? [] : [`x${plan.execute}`]),
    ...(plan.interpreterInNamespace === undefined ? [] : [`n${plan.interpreterInNamespace}`]),
    ...(plan.view ?? []).map(({ target, source = '' }) => `V${target} ${source}`),
    ...(plan.loader === undefined ? [] : [`l${plan.loader}`]),
    ...(plan.libraryPath === undefined ? [] : [`b${plan.libraryPath}`]),
    ...(plan.auditModule === undefined ? [] : [`m${plan.auditModule}`]),
    ...(plan.launcherVariables ?? []).map((name) => `N${name}`),
    ...(plan.directoryVariables ?? []).map((name) => `c${name}`),
    ...(plan.argv0Variables ?? []).map((name) => `v${name}`),
    ...(plan.nixLdLists ?? []).map(([name, list]) => `j${name}=${list}`),
    ...plan.environment.map(([name, value]) => `+${name}=${value}`),
    ...plan.argv.map(argumentRecord),
    '.',
  ];
  if (records.some((record) => record.includes('\0'))) throw new RangeError('a launch plan cannot hold NUL');
  return Buffer.from(`${records.join('\0')}\0`);
}

function parseArgument(tag: string, value: string): Argument {
  if (tag === '0') return { kind: 'argv0' };
  if (tag === 'P') return { kind: 'program' };
  if (tag === 'F') return { kind: 'found' };
  return tag === 'L' ? { kind: 'library-path', list: value } : { kind: 'literal', text: value };
}

function watchedFile(value: string): { identity: string; path: string } {
  const space = value.indexOf(' ');
  return { identity: value.slice(0, space), path: value.slice(space + 1) };
}

function viewEntry(value: string): ViewEntry {
  const { identity: target, path: source } = watchedFile(value);
  return source === '' ? { target } : { target, source };
}

function assignment(value: string): readonly [name: string, value: string] {
  const equals = value.indexOf('=');
  return [value.slice(0, equals), value.slice(equals + 1)];
}

function variableNames(plan: LaunchPlan): string[] {
  const { launcherVariables = [], directoryVariables = [], argv0Variables = [] } = plan;
  return [...launcherVariables, ...directoryVariables, ...argv0Variables];
}

/** What the launcher asks of the values of a plan's records (launcher/plan.c). */
function isWellFormed(plan: LaunchPlan): boolean {
  const { program, files, directories, absent, watched, environment } = plan;
  const { execute, loader, libraryPath, interpreterPath, interpreterInNamespace, auditModule, rule } = plan;
  const once = [
    execute,
    loader,
    libraryPath,
    interpreterPath?.path,
    interpreterInNamespace,
    auditModule,
    rule,
  ].filter((each) => each !== undefined);
  const outside = [...(plan.absentOutside ?? []), ...(plan.watchedOutside ?? []).map((each) => each.path)];
  const shown = (plan.view ?? []).flatMap(({ target, source = '/' }) => [target, source]);
  const more = [...watched.map((each) => each.path), ...once, ...outside, ...shown];
  const paths = [program, ...files, ...directories, ...absent, ...more];
  return (
    paths.every((each) => each.startsWith('/')) &&
    [...environment, ...(plan.nixLdLists ?? [])].every(([name]) => name !== '') &&
    variableNames(plan).every((name) => /^[^=]+$/.test(name))
  );
}

/**
 * Reads a plan; undefined for anything the launcher would not take for its form, and for bytes we would not write.
 */
export function parsePlan(bytes: Buffer): LaunchPlan | undefined {
  const plan = readRecords(bytes);
  return plan !== undefined && isWellFormed(plan) && serialisePlan(plan).equals(bytes) ? plan : undefined;
}

function readRecords(bytes: Buffer): LaunchPlan | undefined {
  const records = bytes.toString().split('\0');
  if (records.shift() !== HEADER || records.pop() !== '' || records.pop() !== '.') return undefined;
  const of = (tags: string): string[] =>
    records.filter((record) => tags.includes(record.charAt(0))).map((record) => record.slice(1));
  const one = (tag: string): string | undefined => of(tag)[0];
  if (records.some((record) => !'pisrhodfwktuaexnVlbmNcvj+A0LPF'.includes(record.charAt(0) || '?')))
    return undefined;
  const [program, identity, strategy] = [one('p'), one('i'), one('s')];
  if (program === undefined || identity === undefined) return undefined;
  if (!isStrategy(strategy)) return undefined;
  const [root, sha256, origin] = [one('r'), one('h'), one('o')];
  const [execute, loader, libraryPath, launcherVariables] = [one('x'), one('l'), one('b'), of('N')];
  const [auditModule, rule] = [one('m'), one('t')];
  const [interpreterPath, interpreterInNamespace] = [one('k'), one('n')];
  const [watchedOutside, absentOutside, view] = [of('u'), of('e'), of('V')];
  const [directoryVariables, argv0Variables, nixLdLists] = [of('c'), of('v'), of('j')];
  return {
    program,
    identity,
    strategy,
    ...(root === undefined ? {} : { root }),
    ...(sha256 === undefined ? {} : { sha256 }),
    ...(origin === undefined ? {} : { origin }),
    directories: of('d'),
    files: of('f'),
    watched: of('w').map(watchedFile),
    ...(interpreterPath === undefined ? {} : { interpreterPath: watchedFile(interpreterPath) }),
    ...(rule === undefined ? {} : { rule }),
    absent: of('a'),
    ...(execute === undefined ? {} : { execute }),
    ...(interpreterInNamespace === undefined ? {} : { interpreterInNamespace }),
    ...(watchedOutside.length === 0 ? {} : { watchedOutside: watchedOutside.map(watchedFile) }),
    ...(absentOutside.length === 0 ? {} : { absentOutside }),
    ...(view.length === 0 ? {} : { view: view.map(viewEntry) }),
    ...(loader === undefined ? {} : { loader }),
    ...(libraryPath === undefined ? {} : { libraryPath }),
    ...(auditModule === undefined ? {} : { auditModule }),
    ...(launcherVariables.length === 0 ? {} : { launcherVariables }),
    ...(directoryVariables.length === 0 ? {} : { directoryVariables }),
    ...(argv0Variables.length === 0 ? {} : { argv0Variables }),
    ...(nixLdLists.length === 0 ? {} : { nixLdLists: nixLdLists.map(assignment) }),
    environment: of('+').map(assignment),
    argv: records
      .filter((record) => 'A0LPF'.includes(record.charAt(0)))
      .map((record) => parseArgument(record.charAt(0), record.slice(1))),
  };
}

const OFFSET_BASIS = 0xcbf29ce484222325n;
const PRIME = 0x100000001b3n;
const MASK = (1n << 64n) - 1n;

/** The last path and its key: one process asks for one program, several times. */
let last: { readonly realPath: string; readonly key: string } | undefined;

/** 16 hex digits of the 64-bit FNV-1a hash of the path's bytes; the launcher computes the same (PLAN.md). */
export function planKey(realPath: string): string {
  if (last?.realPath !== realPath) last = { realPath, key: keyOf(realPath) };
  return last.key;
}

function keyOf(realPath: string): string {
  let hash = OFFSET_BASIS;
  for (const byte of Buffer.from(realPath)) hash = ((hash ^ BigInt(byte)) * PRIME) & MASK;
  return hash.toString(16).padStart(16, '0');
}
