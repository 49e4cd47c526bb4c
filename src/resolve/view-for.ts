// A plan of a script or a program of Nix → the same with what lets its foreign children start.
import { existsSync } from 'node:fs';
import { findMachine, type Machine } from '../elf/machine.ts';
import type { Directories } from '../host/directories.ts';
import { identityOf } from '../host/file-identity.ts';
import { notice } from '../host/output.ts';
import { ruleFor } from '../integrations/binfmt/binfmt-registry.ts';
import { unpackedOf } from '../plan/copy-directories.ts';
import type { LaunchPlan } from '../plan/plan-format.ts';
import { type Interpreter, inspectInterpreter } from '../plan/strategy.ts';
import {
  findView,
  isInView,
  makeView,
  type View,
  type ViewedProgram,
  type ViewToMake,
  whyNoView,
} from '../view/make-view.ts';
import type { Context } from './context.ts';
import { launcherForMachine } from './own-package.ts';

export type FoundView =
  | { readonly kind: 'view'; readonly view: ViewToMake }
  | { readonly kind: 'none'; readonly why: string };

const none = (why: string): FoundView => ({ kind: 'none', why });

/** What a view would show on this machine, once it is known that one can be made here. Writes nothing. */
export function viewFor(context: Context, dirs: Directories, of: ViewedProgram): FoundView {
  const { launcher, host, env, location } = context;
  const machine = ownMachine(context);
  const launchers = host.hostMachines.flatMap((key) => {
    const [each, file] = [findMachine(key), launcherForMachine(context, key)];
    return each === undefined || file === undefined ? [] : [{ machine: each, file }];
  });
  if (isInView()) return none('this is one already');
  const why = whyNoView(launcher);
  if (why !== undefined || launcher === undefined || machine === undefined)
    return none(why ?? 'the machine is not known');
  const { storeDir } = location;
  const { uid } = host;
  const user = { launchers, uid, searchPath: env['PATH'], storeDir, dirs, manager: context.resolver };
  const view = findView(machine, user, of);
  if (view === undefined) return none('nothing is missing here');
  const [unserved] = view.unserved;
  return unserved === undefined
    ? { kind: 'view', view }
    : none(`it could have nothing at ${unserved}, whose directory is to be written`);
}

function ownMachine({ host }: Context): Machine | undefined {
  const [own] = host.hostMachines;
  return own === undefined ? undefined : findMachine(own);
}

/** One line for whoever starts it. `which`: after "foreign programs"; `why`: clauses. */
export function whatIsMissed(name: string, which: string, why: string): string {
  return `${name}: foreign programs ${which} will not find their interpreter (${why}); start each by nix-run-foreign, or enable nix-ld`;
}

/** Children come to nix-ld by themselves, and by this variable from there to the launcher. */
function byNixLd(plan: LaunchPlan, { path: file }: Interpreter, { nixLdSuffix }: Machine): LaunchPlan {
  return {
    ...plan,
    interpreterPath: { identity: identityOf(file), path: file },
    launcherVariables: [`NIX_LD_${nixLdSuffix}`],
  };
}

/** Also in a view: outside another file is there, and the plan is made again. */
function byLauncher(plan: LaunchPlan, { path: file }: Interpreter): LaunchPlan {
  return { ...plan, interpreterPath: { identity: identityOf(file), path: file } };
}

function byView(
  plan: LaunchPlan,
  { view, directories, files, ...conditions }: View,
  interpreter: Interpreter,
): LaunchPlan {
  const { path: file } = interpreter;
  const watched = existsSync(file) ? { interpreterPath: { identity: identityOf(file), path: file } } : {};
  const all = [...directories, ...plan.directories];
  const held = [...plan.files, ...files];
  return { ...plan, strategy: 'view', view, directories: all, files: held, ...conditions, ...watched };
}

/** Whether its children are to start by themselves; asked for at the interpreter path, they come to it there. */
function servesChildren({ requested }: Context): boolean {
  return requested === undefined || ['auto', 'view', 'interpreter'].includes(requested);
}

/** What lies in an AppImage names the launcher, once it is unpacked. */
function whichMiss({ directories }: LaunchPlan, dirs: Directories): string {
  const isImage = directories.some((each) => unpackedOf(dirs, each) !== undefined);
  return isImage ? 'outside the image that it starts' : 'that it starts';
}

/** With the same edits where the launcher or another system's loader sits at the interpreter path of this machine. */
export function withChildren(plan: LaunchPlan, context: Context, dirs: Directories): LaunchPlan {
  const machine = ownMachine(context);
  if (machine === undefined || !servesChildren(context) || context.byBinfmt === true || dirs.shared)
    return plan;
  const interpreter = inspectInterpreter(machine.interpreter);
  if (interpreter.kind === 'nix-ld') return byNixLd(plan, interpreter, machine);
  if (interpreter.kind === 'launcher') return byLauncher(plan, interpreter);
  if (interpreter.kind !== 'missing' && interpreter.kind !== 'stub-ld') return plan;
  const found = viewFor(context, dirs, {});
  if (found.kind === 'view') return byView(plan, makeView(found.view), interpreter);
  if (!isInView() && ruleFor(machine) === undefined)
    notice(whatIsMissed(plan.program, whichMiss(plan, dirs), `no view: ${found.why}`));
  return plan;
}
