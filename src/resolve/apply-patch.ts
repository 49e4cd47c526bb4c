// A reckoned patch → the patched file in place of the old one, or beside it, once its copy has verified itself.
import { existsSync, lstatSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { openFileSource } from '../elf/open-elf.ts';
import { removeLeftoversOf, temporaryName } from '../host/atomic-file.ts';
import type { Directories } from '../host/directories.ts';
import { type ForeignError, reasonOf } from '../host/errors.ts';
import { notice } from '../host/output.ts';
import { runProgramNow } from '../host/run-program.ts';
import { fileWord } from '../host/shell-words.ts';
import { structureComplaints } from '../integrations/patch/check-structure.ts';
import { copyWithChanges, sha256OfSource } from '../integrations/patch/copy-with-changes.ts';
import { changedSource, undoneSource } from '../integrations/patch/file-changes.ts';
import { whyNotTheSame } from '../integrations/patch/patched-copy.ts';
import { farmRoot } from '../integrations/patch/patched-rows.ts';
import {
  forgetPatched,
  keepPatched,
  settlePatched,
  withdrawPatched,
} from '../integrations/patch/patched-state.ts';
import { type Proof, provePatched } from '../integrations/patch/prove-patched.ts';
import {
  hasCapabilities,
  replaceNames,
  takeAttributes,
  takeModes,
} from '../integrations/patch/replace-file.ts';
import { readUndoText, undoText } from '../integrations/patch/undo-record.ts';
import type { Context } from './context.ts';
import { makePatchedFarm } from './make-patched-farm.ts';
import { asUnwritable, leftBehind, patchRefusal, refuseChanged, withoutAttributes } from './patch-target.ts';
import type { EditPlan, PatchPlan } from './plan-patch.ts';
import { patchPlaces } from './writable-directories.ts';

interface Applying {
  /** The names that shall be the patched file, the first one the target's own or that of `-o`. */
  readonly names: readonly string[];
  /** Arguments to run the original and the copy with before the copy is taken. */
  readonly trial: readonly string[] | undefined;
  /** Asks the loader about the copy; the number of files it takes. @throws ForeignError where they are others. */
  prove(copy: string): Promise<number> | number;
}

export interface Applied {
  readonly file: string;
  readonly size: number;
  readonly objects: number;
  readonly root: string | undefined;
  readonly unpinned: string | undefined;
  /** Where the copy was run too. */
  readonly tried: readonly string[] | undefined;
}

/** Reading larger files twice takes seconds; of those only what was written and the structure is looked at again. */
const LARGEST_READ_AGAIN = 1 << 30;
const TRIAL_TIMEOUT = 60_000;

/** Whether the target is already what it would become. */
export function isAlreadySo({ target, original, chosen, farm }: EditPlan): boolean {
  if (original.patched?.farm !== farm.path) return false;
  const [before, now] = [openFileSource(original.file), openFileSource(target.path)];
  try {
    const after = changedSource(before, chosen.changes);
    if (after.size !== now.size) return false;
    const { edits, added } = chosen.changes;
    const places = [...edits, ...(added === undefined ? [] : [{ offset: added.at, bytes: added.bytes }])];
    return places.every(({ offset, bytes }) => Buffer.compare(now.read(offset, bytes.length), bytes) === 0);
  } finally {
    before.close();
    now.close();
  }
}

export function refusedCopy({ target }: EditPlan, why: string): ForeignError {
  const hint = `${target.typedName} is as it was; another way may do: nix-foreign patch ${fileWord(target.typedName)} --method append, or nix-foreign shim add`;
  return patchRefusal(target.typedName, `the patched copy is not as good: ${why}`, hint, 'not-verified');
}

function refusedFarm({ target }: EditPlan, why: string): ForeignError {
  const hint = 'see what is wrong with Nix: nix-foreign doctor';
  return patchRefusal(target.typedName, `Nix does not take its farm: ${why}`, hint, FARM_REFUSED);
}

/** What was done for a file that is already so. */
export interface Held {
  /** `there again`: its farm, which no root holds. */
  readonly change: 'none' | 'held again' | 'there again';
  /** Why no root holds it. */
  readonly unpinned: string | undefined;
}

/**
 * For files that are already so: their farm, and the root of that, are made again where they went.
 * @throws ForeignError `farm-refused` where the farm is gone.
 */
export async function holdAgain(
  plan: EditPlan,
  names: readonly string[],
  context: Context,
  dirs: Directories,
): Promise<Held> {
  const { path: farm } = plan.farm;
  const known = await patchPlaces(context.host.uid);
  const wasThere = existsSync(farm);
  if (wasThere && known.some((each) => farmRoot(each, farm, context) !== undefined))
    return { change: 'none', unpinned: undefined };
  // A root without a record would be taken for what a killed patch left.
  await keepPatched(dirs, { farm, undo: undoText(plan.undos) }, names);
  await settlePatched(dirs, farm);
  const made = await makePatchedFarm(plan.farm, plan.root, context, dirs);
  const unpinned = made.kind === 'made' ? made.unpinned : made.why;
  if (unpinned === undefined) return { change: 'held again', unpinned };
  if (existsSync(farm)) return { change: wasThere ? 'none' : 'there again', unpinned };
  throw refusedFarm(plan, unpinned);
}

function checkBytes(plan: EditPlan, copy: string): void {
  const [before, after] = [openFileSource(plan.original.file), openFileSource(copy)];
  try {
    const [complaint] = structureComplaints(before, after, plan.wanted);
    if (complaint !== undefined) throw refusedCopy(plan, complaint);
    const back = undoneSource(after, plan.undo);
    if (back === undefined) throw refusedCopy(plan, 'it has another size');
    if (before.size <= LARGEST_READ_AGAIN && sha256OfSource(back) !== plan.undo.sha256)
      throw refusedCopy(plan, 'undo would not give the same bytes: the file was changed meanwhile');
  } finally {
    before.close();
    after.close();
  }
}

interface TrialOutcome {
  readonly status: number | undefined;
  readonly output: string;
}

/** Paths of the programs themselves differ. */
function seen(
  file: string,
  args: readonly string[],
  launcher: string | undefined,
  env: Context['env'],
): TrialOutcome {
  const clean = Object.fromEntries(
    Object.entries(env).filter((each): each is [string, string] => each[1] !== undefined),
  );
  const options = { env: clean, timeout: TRIAL_TIMEOUT };
  const command = launcher ?? file;
  const { status, stdout, stderr, failure } = runProgramNow(
    command,
    launcher === undefined ? args : [file, ...args],
    options,
  );
  if (failure !== undefined) return { status: 127, output: failure };
  const name = path.basename(file);
  return { status, output: `${stdout}\n${stderr}`.replaceAll(file, 'PROGRAM').replaceAll(name, 'PROGRAM') };
}

function tryCopy(plan: EditPlan, copy: string, args: readonly string[], { env, launcher }: Context): void {
  const patched = seen(copy, args, undefined, env);
  const before = seen(plan.original.file, args, launcher, env);
  if (patched.status === before.status && patched.output === before.output) return;
  const how =
    patched.status === before.status
      ? 'prints something else'
      : `ends with ${patched.status} instead of ${before.status}`;
  throw refusedCopy(plan, `run with ${args.join(' ')} it ${how}`);
}

/** Whether the loader takes the very files of the set for the copy; their number. @throws ForeignError. */
export async function proveProgram(
  plan: PatchPlan,
  copy: string,
  { cache }: Pick<Directories, 'cache'>,
): Promise<number> {
  if (plan.wanted.runPath === undefined) {
    const why = await whyNotTheSame(copy, plan.verified, plan.program.libc);
    if (why !== undefined) throw refusedCopy(plan, why);
    return plan.verified.objects.length;
  }
  // Where names could not be lifted a run path of the store's libraries comes behind the user's LD_LIBRARY_PATH.
  const all =
    plan.wanted.lifted.length === plan.set.transitive.length && plan.wanted.runPath?.tag === 'rpath';
  const asked = {
    libc: plan.program.libc.kind,
    storeDir: path.dirname(plan.fingerprint.loader.storePath),
    cache,
  };
  const proof: Proof = provePatched(copy, plan.verified, asked, all ? 'too' : 'not');
  if (proof.kind === 'other') throw refusedCopy(plan, proof.why);
  return proof.objects;
}

/** The files are there: from now on only undo takes the root. A record that stays pending has them too. */
async function settleRecord(plan: EditPlan, dirs: Directories, names: readonly string[]): Promise<void> {
  try {
    await settle(plan, dirs, names);
  } catch (error) {
    notice(
      `${plan.target.typedName} is patched; its record in ${dirs.state} is not whole: ${reasonOf(error)}`,
    );
  }
}

async function settle(
  { farm, target, original }: EditPlan,
  dirs: Directories,
  names: readonly string[],
): Promise<void> {
  await settlePatched(dirs, farm.path);
  const { patched } = original;
  if (patched === undefined || patched.farm === farm.path || !names.includes(target.path)) return;
  await forgetPatched(dirs, patched.farm, names);
}

/** Code of the failure when Nix does not add the farm to its store: a directory of ours may serve. */
export const FARM_REFUSED = 'farm-refused';

/** At AT_SECURE (ld.so(8)) others must not be able to put a library into a directory of the run path. */
function refuseOpenEntries({ target, farm, wanted }: EditPlan, { location, env }: Context): void {
  const { storeDir } = location;
  const hasBits = (target.stats.mode & 0o6000n) !== 0n;
  if (!hasBits && !hasCapabilities(target.path, env['PATH'])) return;
  const others = wanted.runPath?.text.split(':').filter((each) => !each.startsWith(`${storeDir}/`)) ?? [];
  if (farm.kind === 'store' && others.length === 0) return;
  throw patchRefusal(
    target.typedName,
    `it starts with more rights (${hasBits ? 'setuid or setgid' : 'capabilities'}), and its run path would have ${others[0] ?? farm.path}, which lies outside the store`,
    hasBits
      ? 'take the bits away first: chmod u-s,g-s; or start it with the rights it needs: sudo'
      : 'take them away first: setcap -r; or start it with the rights it needs: sudo',
    'secure-mode',
  );
}

/**
 * The record, farm and root, then the copy, then the rename: whatever ends us in between, the file is the old
 * one or the new one with all it needs.
 * @throws ForeignError; the file is as it was then, but for `name-left`.
 */
export async function applyPatch(
  plan: EditPlan,
  { names, trial, prove }: Applying,
  context: Context,
  dirs: Directories,
): Promise<Applied> {
  const [output = plan.target.path] = names;
  const isReplaced = names.includes(plan.target.path);
  if (isReplaced) refuseOpenEntries(plan, context);
  removeLeftoversOf(output);
  const copy = temporaryName(output);
  let isNew = false;
  // Nothing is written that could not be taken back.
  const undo = undoText(plan.undos);
  if (readUndoText(undo) === undefined) throw refusedCopy(plan, 'it could not be undone');
  let added: readonly string[] = [];
  try {
    const stats = { mode: plan.undo.mode, mtime: String(plan.undo.mtime) };
    added = await keepPatched(dirs, { farm: plan.farm.path, undo, stats }, names);
    const made = await makePatchedFarm(plan.farm, plan.root, context, dirs);
    if (made.kind === 'refused') throw refusedFarm(plan, made.why);
    copyWithChanges(plan.original.file, copy, plan.chosen.changes, statSync(plan.original.file).size);
    const searchPath = context.env['PATH'];
    const attributes = isReplaced
      ? takeAttributes(plan.target.path, copy, searchPath)
      : takeModes(plan.target.path, copy, searchPath, temporaryName(output));
    if (attributes !== undefined) throw withoutAttributes(plan.target, attributes, 'patch');
    checkBytes(plan, copy);
    const objects = await prove(copy);
    if (trial !== undefined) tryCopy(plan, copy, trial, context);
    refuseChanged(plan.target);
    const { size } = lstatSync(copy);
    const left = replaceNames(copy, names);
    isNew = true;
    await settleRecord(plan, dirs, names);
    if (left !== undefined) throw leftBehind(plan.target, left, 'patch');
    return { file: output, size, objects, root: made.root, unpinned: made.unpinned, tried: trial };
  } catch (error) {
    rmSync(copy, { force: true });
    if (!isNew) await withdrawPatched(dirs, plan.farm.path, added);
    const size = statSync(plan.original.file).size + (plan.chosen.changes.added?.bytes.length ?? 0);
    throw asUnwritable(error, plan.target, output, { command: 'patch', size });
  }
}
