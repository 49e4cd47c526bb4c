// The kernel's binfmt_misc directory → which of our rules are registered, and rules registered and removed.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { findMachine, type MachineKey } from '../../elf/machine.ts';
import { errnoOf, ForeignError, reasonOf } from '../../host/errors.ts';
import {
  type Flags,
  isForAppImages,
  isMatched,
  type Rule,
  registration,
  rulesFor,
  takesLoader,
} from './binfmt-rules.ts';
import { headOf } from './native-programs.ts';

/** Where the kernel's directory is mounted (Documentation/admin-guide/binfmt-misc.rst). */
export const BINFMT_MISC = '/proc/sys/fs/binfmt_misc';

/** A rule as the kernel shows it. */
export interface RegisteredRule {
  readonly name: string;
  readonly enabled: boolean;
  readonly interpreter: string;
  readonly flags: string;
}

const OURS = /^nix-run-foreign-/;

function entryOf(directory: string, name: string): RegisteredRule {
  const lines = readFileSync(path.join(directory, name), 'utf8').split('\n');
  const after = (word: string) => lines.find((line) => line.startsWith(word))?.slice(word.length) ?? '';
  return {
    name,
    enabled: lines[0] === 'enabled',
    interpreter: after('interpreter '),
    flags: after('flags: '),
  };
}

/** Our rules, sorted by name; undefined where binfmt_misc is not mounted. Others' are not looked at. */
export function registered(directory: string): RegisteredRule[] | undefined {
  if (!existsSync(path.join(directory, 'register'))) return undefined;
  return readdirSync(directory)
    .filter((name) => OURS.test(name))
    .sort()
    .map((name) => entryOf(directory, name));
}

/** Whether the kernel looks at rules at all: `echo 0 > status` turns all of them off. */
export function isOn(directory: string): boolean {
  try {
    return readFileSync(path.join(directory, 'status'), 'utf8').startsWith('enabled');
  } catch {
    return false;
  }
}

function isEnabled(directory: string, name: string, unless?: string): boolean {
  try {
    const { enabled, flags } = entryOf(directory, name);
    return enabled && (unless === undefined || !flags.includes(unless));
  } catch {
    return false;
  }
}

/** By the flag L the launcher is only entered as the loader, and the program is what starts. */
const isHandingOver = (directory: string, name: string): boolean => isEnabled(directory, name, 'L');

/**
 * The file of our rule by which the kernel gives the launcher this program, however it is started: in a view too.
 * Undefined where there is none, or none that can be seen from here.
 */
export function ruleTaking(program: string, key: MachineKey, directory = BINFMT_MISC): string | undefined {
  const machine = isOn(directory) ? findMachine(key) : undefined;
  if (machine === undefined) return undefined;
  const head = headOf(program);
  const matching = rulesFor([machine]).filter((rule) => isMatched(rule, head));
  const taking = matching.find(({ name }) => isHandingOver(directory, name));
  return taking && path.join(directory, taking.name);
}

/**
 * The file of our rule by which the kernel starts the launcher for foreign programs of a machine, whoever starts them;
 * undefined where there is none.
 */
export function ruleFor(key: MachineKey, directory = BINFMT_MISC): string | undefined {
  const machine = isOn(directory) ? findMachine(key) : undefined;
  if (machine === undefined) return undefined;
  const names = rulesFor([machine]).map(({ name }) => name);
  const found = names.find((name) => !isForAppImages(name) && isEnabled(directory, name));
  return found && path.join(directory, found);
}

/** What is to be said again as root: sudo's own PATH has neither nix-foreign nor Node where npm put them in a home. */
const AGAIN = {
  install: 'sudo env "PATH=$PATH" nix-foreign binfmt install',
  remove: 'sudo env "PATH=$PATH" nix-foreign binfmt remove',
} as const;
type Verb = keyof typeof AGAIN;

function refusal(directory: string, what: string, error: unknown, verb: Verb): ForeignError {
  const denied = ['EACCES', 'EPERM', 'EROFS'].includes(errnoOf(error) ?? '');
  return new ForeignError(`${what}: ${reasonOf(error)}`, {
    code: 'binfmt',
    hint: denied
      ? `only root may change ${directory}: say it with sudo, e.g. ${AGAIN[verb]}`
      : 'the kernel log may say more: dmesg',
    exitCode: 125,
    cause: error,
  });
}

/** Whoever takes registrations: the file `register` of the kernel. Throws Node's errno errors. */
type Register = (line: string) => void;

/** One write(2) each, as the kernel wants it. */
export function registerIn(directory: string): Register {
  return (line) => writeFileSync(path.join(directory, 'register'), line, { flag: 'r+' });
}

/**
 * Registers one rule: by loader substitution where the kernel knows it, which keeps everything of the program.
 * @returns the flags that the kernel took. @throws ForeignError `binfmt`.
 */
export function register(rule: Rule, launcher: string, directory: string, write: Register): Flags {
  const wanted: readonly Flags[] = takesLoader(rule) ? ['LF', 'PF'] : ['PF'];
  for (const flags of wanted) {
    try {
      write(registration(rule, launcher, flags));
      return flags;
    } catch (error) {
      // Linux before the flag L takes it for a mistake (fs/binfmt_misc.c, create_entry).
      if (flags === 'LF' && errnoOf(error) === 'EINVAL') continue;
      throw refusal(directory, `${rule.name} cannot be registered`, error, 'install');
    }
  }
  throw new Error('no flags were tried');
}

/** Removes every rule of ours; `verb`: what the user said. @returns their names. @throws ForeignError `binfmt`. */
export function removeAll(directory: string, verb: Verb = 'remove'): string[] {
  return (registered(directory) ?? []).map(({ name }) => {
    try {
      writeFileSync(path.join(directory, name), '-1', { flag: 'r+' });
    } catch (error) {
      throw refusal(directory, `${name} cannot be removed`, error, verb);
    }
    return name;
  });
}
