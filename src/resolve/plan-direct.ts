// A program that needs no library of ours → its plan: a static program, a script, an AppImage, a program of Nix.
import { existsSync } from 'node:fs';
import type { AppImage } from '../elf/app-image.ts';
import { findMachine } from '../elf/machine.ts';
import { packingOf } from '../elf/packed.ts';
import type { Directories } from '../host/directories.ts';
import { ForeignError } from '../host/errors.ts';
import { sha256OfProgram } from '../host/file-identity.ts';
import { fileWord } from '../host/shell-words.ts';
import { copyPlan, directPlan } from '../plan/make-plan.ts';
import type { LaunchPlan } from '../plan/plan-format.ts';
import { type Interpreter, inspectInterpreter } from '../plan/strategy.ts';
import type { ProgramFile } from '../program/inspect-program.ts';
import { storeObjectOf } from '../store/store-location.ts';
import type { Context } from './context.ts';
import { withChildren } from './view-for.ts';
import { savePlan } from './write-plan.ts';

/** At the usual interpreter path: it serves whatever maps it. nix-ld may name the launcher, which refuses by itself. */
const STARTS_PACKED: ReadonlySet<Interpreter['kind']> = new Set(['loader', 'nix-ld', 'unknown']);

/** @throws ForeignError for a script or an AppImage that cannot be started. */
export async function planDirect(
  program: ProgramFile,
  context: Context,
  dirs: Directories,
): Promise<LaunchPlan> {
  if (program.appImage !== undefined) return await planImage(program, program.appImage, context, dirs);
  if (program.kind.kind === 'script') {
    const { planScript } = await import('./plan-script.ts');
    const plan = await planScript(program, program.kind, context);
    return savePlan(dirs, await withAskedChildren(plan, program, context, dirs));
  }
  if (program.kind.kind === 'already-nix') {
    const { planNixProgram } = await import('./plan-nix-program.ts');
    const plan = await planNixProgram(program, program.kind.interpreter, context, dirs);
    return savePlan(dirs, await withAskedChildren(plan, program, context, dirs));
  }
  if (context.byBinfmt !== true || program.elf === undefined)
    return savePlan(dirs, await planStatic(program, context, dirs));
  const { copyOfAppImage } = await import('../integrations/patch/patched-copy.ts');
  const copy = copyOfAppImage(program, await sha256OfProgram(program.path), dirs);
  return savePlan(dirs, copy === undefined ? directPlan(program) : copyPlan(program, copy));
}

/** A request that was saved counts here too, since these plans are made anew each time. */
async function withAskedChildren(
  plan: LaunchPlan,
  program: ProgramFile,
  context: Context,
  dirs: Directories,
): Promise<LaunchPlan> {
  const { withRequestedStrategy } = await import('./choose-strategy.ts');
  return withChildren(plan, await withRequestedStrategy(program, context), dirs);
}

/**
 * As it is, without a plan being looked for at its next start: nearly none starts foreign programs. Those that do (uv,
 * mise) have a view when they are asked to start in one.
 */
async function planStatic(program: ProgramFile, asked: Context, dirs: Directories): Promise<LaunchPlan> {
  // What lies in the store was mostly packed by a build of Nix, and names a loader of the store.
  if (storeObjectOf(asked.location.storeDir, program.path) === undefined) refusePacked(program);
  const { withRequestedStrategy } = await import('./choose-strategy.ts');
  const context = await withRequestedStrategy(program, asked);
  const plan = directPlan(program);
  return context.requested === 'view' ? withChildren(plan, context, dirs) : plan;
}

/**
 * What unpacks it maps the loader by its usual path, and ends with status 127 and no word where that is none. What the
 * program within needs stands packed in it.
 */
function refusePacked({ elf, path, typedName }: ProgramFile): void {
  const usual = elf === undefined ? undefined : findMachine(elf)?.interpreter;
  if (usual === undefined || packingOf(path) !== 'needs-loader') return;
  if (STARTS_PACKED.has(inspectInterpreter(usual).kind)) return;
  throw new ForeignError(`${typedName}: it is packed by UPX, and what it needs cannot be read`, {
    code: 'packed',
    hint: `unpack it first: upx -d ${fileWord(path)}`,
    exitCode: 126,
  });
}

/**
 * What lies in it names the launcher by its own path and needs no view; what it starts from outside the image does. A
 * collector that looked before the plan was there may have taken the files: then they are unpacked again.
 */
async function planImage(
  program: ProgramFile,
  image: AppImage,
  context: Context,
  dirs: Directories,
): Promise<LaunchPlan> {
  const { planAppImage } = await import('./plan-app-image.ts');
  const own = await planAppImage(program, image, context, dirs);
  const plan = savePlan(dirs, await withAskedChildren(own, program, context, dirs));
  return plan.files.every((file) => existsSync(file)) ? plan : await planImage(program, image, context, dirs);
}
