// A launch plan and a command line → what to execute, with which argv and environment; what the launcher does in C.
import { libraryOrder } from '../../farm/library-order.ts';
import type { Environment } from '../../host/tool-environment.ts';
import type { Argument, LaunchPlan } from '../../plan/plan-format.ts';

export interface Execution {
  readonly file: string;
  readonly argv0: string;
  /** Without argv[0]. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

function libraryPath(libraryPath: string | undefined, list: string): string {
  if (libraryPath === undefined || libraryPath === '') return list;
  return libraryPath.endsWith(':') ? libraryPath + list : `${libraryPath}:${list}`;
}

/** The user's first, but for what ends every start (launcher/library-order.c). */
function libraryPathInOrder(ofUser: string | undefined, list: string, loader: string | undefined): string {
  if (ofUser === undefined || ofUser === '' || loader === undefined) return libraryPath(ofUser, list);
  const { first, last } = libraryOrder(ofUser.split(/[:;]/), { loader, libraryPath: list });
  if (last.length === 0) return libraryPath(ofUser, list);
  return [libraryPath(first.join(':'), list), ...last].join(':');
}

interface ProgramCall {
  readonly plan: LaunchPlan;
  readonly found: string;
  readonly argv0: string;
  readonly env: Environment;
}

function argumentText(argument: Argument, { plan, found, argv0, env }: ProgramCall): string {
  switch (argument.kind) {
    case 'literal':
      return argument.text;
    case 'argv0':
      return argv0;
    case 'program':
      return plan.program;
    case 'found':
      return found;
    case 'library-path':
      return libraryPathInOrder(env['LD_LIBRARY_PATH'], argument.list, plan.loader);
  }
}

/** The user's own list goes behind; one that begins with ours is of a start within one of ours. */
function listForNixLd(name: string, list: string, env: Environment): string {
  const ofUser = env[name] ?? env['NIX_LD_LIBRARY_PATH'] ?? '';
  if (ofUser === list || ofUser.startsWith(`${list}:`)) return ofUser;
  return ofUser === '' ? list : libraryPath(list, ofUser);
}

/** `found`: the path by which the program was found; `words`: its argv as the user gave it. See PLAN.md. */
export function applyPlan(
  plan: LaunchPlan,
  found: string,
  words: readonly string[],
  env: Environment,
): Execution {
  const [argv0 = found, ...rest] = words;
  const leading = plan.argv.map((argument) => argumentText(argument, { plan, found, argv0, env }));
  const lists = (plan.nixLdLists ?? []).map(([name, list]) => [name, listForNixLd(name, list, env)] as const);
  const environment = [...withoutLauncher(plan), ...ofTheCall(plan, argv0), ...lists, ...plan.environment];
  const edited = Object.entries({ ...Object.fromEntries(environment), ...withoutEdited(env, environment) });
  return {
    file: plan.execute ?? found,
    argv0: leading[0] ?? argv0,
    args: [...leading.slice(1), ...rest],
    env: Object.fromEntries(edited.filter((entry): entry is [string, string] => entry[1] !== undefined)),
  };
}

/** Empty in a directory that is gone, as in the launcher (edit-environment.c). */
function workingDirectory(): string {
  try {
    return process.cwd();
  } catch {
    return '';
  }
}

function ofTheCall(
  { directoryVariables = [], argv0Variables = [] }: LaunchPlan,
  argv0: string,
): LaunchPlan['environment'] {
  return [
    ...directoryVariables.map((name) => [name, workingDirectory()] as const),
    ...argv0Variables.map((name) => [name, argv0] as const),
  ];
}

/** Where there is no launcher that nix-ld could enter, it enters the loader, with the libraries that it then needs. */
function withoutLauncher({
  launcherVariables = [],
  loader,
  libraryPath,
}: LaunchPlan): LaunchPlan['environment'] {
  if (loader === undefined || libraryPath === undefined) return [];
  return launcherVariables.flatMap((name) => [
    [name, loader] as const,
    [name.replace('NIX_LD', 'NIX_LD_LIBRARY_PATH'), libraryPath] as const,
  ]);
}

function withoutEdited(env: Environment, environment: LaunchPlan['environment']): Environment {
  const edited = new Set(environment.map(([name]) => name));
  return Object.fromEntries(Object.entries(env).filter(([name]) => !edited.has(name)));
}
