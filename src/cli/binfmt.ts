// `nix-foreign binfmt ...`: rules of the kernel by which foreign programs start as they are.
import { release } from 'node:os';
import path from 'node:path';
import { machinesRunBy } from '../elf/machine.ts';
import { ForeignError } from '../host/errors.ts';
import { listText, notice, printJson, printLine, printOneLine } from '../host/output.ts';
import { BINFMT_MISC, isOn, type RegisteredRule } from '../host/registered-rule.ts';
import { isTrustedAndThere } from '../host/trusted-way.ts';
import { register, registered, registerIn, removeAll } from '../integrations/binfmt/binfmt-registry.ts';
import { registration, rulesFor } from '../integrations/binfmt/binfmt-rules.ts';
import { matchedNatives } from '../integrations/binfmt/native-programs.ts';
import { isNixOs } from '../plan/interpreter-words.ts';
import { inspectInterpreter } from '../plan/strategy.ts';
import { LAUNCHER_REMEDY } from '../resolve/own-package.ts';
import { programsOfNix } from '../store/nix.ts';
import type { EntryProcess } from './command.ts';
import { launcherPaths, noticeCollection } from './lasting-launcher.ts';

/** What the commands are told of the machine. */
interface BinfmtMachine {
  /** Node's `process.arch`. */
  readonly arch: string;
  /** As `uname -r` prints it. */
  readonly kernel: string;
  readonly launcher: string;
  /** The path for a file of rules: as `launcher`, or a profile's link to it that root alone can change. */
  readonly lasting: string;
  /** There /etc/binfmt.d is not read (nix/NOTES.md). */
  readonly isNixOs: boolean;
  /** The programs that a resolution starts. */
  readonly needed: readonly string[];
}

/** Node itself and Nix: what a resolution starts must not come back to us. */
export function machineOf({ context, arch, launcher }: EntryProcess): BinfmtMachine {
  const nix = context.nix === undefined ? [] : programsOfNix(context.nix);
  const trusted = launcherPaths(launcher, context.env['PATH']).find((each) => isTrustedAndThere(each, 0));
  return {
    arch,
    kernel: release(),
    launcher,
    lasting: trusted ?? launcher,
    isNixOs: isNixOs(),
    needed: [process.execPath, ...nix],
  };
}

const ON_NIXOS = 'for good: programs.nix-run-foreign.binfmt = true;';

function refuse(cause: string, hint: string): ForeignError {
  return new ForeignError(cause, { code: 'binfmt', hint, exitCode: 125 });
}

/** The kernel splits at colons and lines (fs/binfmt_misc.c, create_entry) and opens the file at once. */
function usableLauncher(launcher: string): string {
  if (inspectInterpreter(launcher).kind !== 'launcher')
    throw refuse(`${launcher} is no launcher that the kernel could start`, LAUNCHER_REMEDY);
  if (/[:\n\\]/.test(launcher) || Buffer.byteLength(launcher) > 127)
    throw refuse(
      `the kernel takes no such path in a rule: ${launcher}`,
      'install it at a short path without colons',
    );
  return launcher;
}

/**
 * Only from 5.12 on AT_FLAGS tells that the own argv[0] of a program stands behind its path (fs/binfmt_misc.c,
 * flag P; commit 2347961b11d4): before it, each program would get an argument too many.
 */
export function refuseOldKernel(kernel: string): void {
  const [major = 0, minor = 0] = kernel.split('.').map((each) => Number.parseInt(each, 10));
  if (major > 5 || (major === 5 && minor >= 12)) return;
  throw refuse(
    `Linux ${kernel} does not tell what the rules would need: that came with 5.12`,
    'use the prefix, nix-foreign shim, or the launcher as interpreter',
  );
}

function refuseNatives(machine: BinfmtMachine, otherwise = ''): void {
  const matched = matchedNatives(rulesFor(machinesRunBy(machine.arch)), [
    ...machine.needed,
    machine.launcher,
  ]);
  if (matched.length === 0) return;
  throw refuse(
    `the rules would match ${matched.length} programs of this machine itself, such as ${listText(matched, 3)}`,
    `they are for NixOS and the like, where every native program names a loader in the store; use the prefix here${otherwise}`,
  );
}

function entriesOrRefuse(): RegisteredRule[] {
  const entries = registered(BINFMT_MISC);
  if (entries !== undefined) return entries;
  throw refuse(
    `binfmt_misc is not mounted at ${BINFMT_MISC}`,
    `as root: mount -t binfmt_misc binfmt_misc ${BINFMT_MISC}`,
  );
}

/** Prints the lines for /etc/binfmt.d; nothing is changed. `force`: they are for another machine than this. */
export function printRules(machine: BinfmtMachine, options: { json: boolean; force: boolean }): void {
  const launcher = usableLauncher(machine.lasting);
  if (!options.force) refuseNatives(machine, '; for another machine: nix-foreign binfmt print --force');
  if (!options.force && machine.isNixOs) notice(`NixOS does not read /etc/binfmt.d; ${ON_NIXOS}`);
  else noticeCollection(launcher, 'the rules', "install the package in root's profile, and print them again");
  const rules = rulesFor(machinesRunBy(machine.arch));
  if (options.json) {
    printJson(rules.map((rule) => registration(rule, launcher, 'PF')));
    return;
  }
  printLine(
    `# Foreign programs start through nix-run-foreign; see binfmt.d(5). Made by: nix-foreign binfmt print
# Only for Linux 5.12 and later, and for machines whose own programs name loaders in the store: elsewhere these rules match them too.`,
  );
  for (const rule of rules) printLine(`# ${rule.about}\n${registration(rule, launcher, 'PF')}`);
}

/** All rules or none. */
function registerEach(machine: BinfmtMachine, launcher: string) {
  try {
    return rulesFor(machinesRunBy(machine.arch)).map((rule) => ({
      name: rule.name,
      about: rule.about,
      flags: register(rule, launcher, BINFMT_MISC, registerIn(BINFMT_MISC)),
    }));
  } catch (error) {
    removeAll(BINFMT_MISC, 'install');
    throw error;
  }
}

export function installRules(machine: BinfmtMachine, options: { json: boolean }): void {
  const launcher = usableLauncher(machine.launcher);
  refuseOldKernel(machine.kernel);
  refuseNatives(machine);
  entriesOrRefuse();
  removeAll(BINFMT_MISC, 'install');
  const done = registerEach(machine, launcher);
  if (!isTrustedAndThere(launcher, 0))
    notice(
      `others than root can change ${launcher}, and every user's programs, root's too, start by it now; install the package where only root may write`,
    );
  if (options.json) {
    printJson(done);
    return;
  }
  for (const { name, about } of done) printOneLine(`registered ${name}: ${about}`);
  printOneLine(
    `until the next restart; ${machine.isNixOs ? ON_NIXOS : 'for good: nix-foreign binfmt print | sudo tee /etc/binfmt.d/nix-run-foreign.conf'}`,
  );
}

export function removeRules(options: { json: boolean }): void {
  entriesOrRefuse();
  const names = removeAll(BINFMT_MISC);
  if (options.json) {
    printJson(names);
    return;
  }
  for (const name of names) printOneLine(`removed ${name}`);
  if (names.length === 0) printOneLine('no rule of ours was registered');
}

export function showStatus(machine: BinfmtMachine, options: { json: boolean }): void {
  const entries = registered(BINFMT_MISC);
  const natives = matchedNatives(rulesFor(machinesRunBy(machine.arch)), machine.needed);
  const state = {
    mounted: entries !== undefined,
    enabled: isOn(BINFMT_MISC),
    rules: entries ?? [],
    natives,
  };
  if (options.json) {
    printJson(state);
    return;
  }
  if (entries === undefined) printOneLine(`binfmt_misc is not mounted at ${BINFMT_MISC}`);
  else if (!state.enabled) printOneLine('binfmt_misc is mounted and turned off');
  for (const { name, enabled, interpreter, flags } of entries ?? [])
    printOneLine(`${name}: ${enabled ? 'on' : 'off'}, flags ${flags}, ${path.resolve(interpreter)}`);
  if (entries?.length === 0) printOneLine('no rule of ours is registered');
  if (natives.length > 0)
    printOneLine(
      `install refuses: the rules match ${natives.length} programs of this machine, such as ${listText(natives, 3)}`,
    );
}
