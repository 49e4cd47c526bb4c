// The kernel's binfmt_misc directory → which of our rules are registered, and rules registered and removed.
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { findMachine, type MachineKey } from '../../elf/machine.ts';
import { errnoOf, ForeignError, reasonOf } from '../../host/errors.ts';
import { BINFMT_MISC, entryBy, type RegisteredRule, readRule } from '../../host/registered-rule.ts';
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

const OURS = /^nix-run-foreign-/;

/** Our rules, sorted by name; undefined where binfmt_misc is not mounted. Others' are not looked at. */
export function registered(directory: string): RegisteredRule[] | undefined {
  if (!existsSync(path.join(directory, 'register'))) return undefined;
  return readdirSync(directory)
    .filter((name) => OURS.test(name))
    .sort()
    .map((name) => readRule(path.join(directory, name)));
}

/**
 * The file of our rule by which the kernel gives the launcher this program, however it is started: in a view too.
 * Undefined where there is none, or none that can be seen from here.
 */
export function ruleTaking(program: string, key: MachineKey, directory = BINFMT_MISC): string | undefined {
  const machine = findMachine(key);
  const fileOf = ({ name }: Rule) => path.join(directory, name);
  const rules = machine === undefined ? [] : rulesFor([machine]);
  const handing = rules.filter((rule) => entryBy(fileOf(rule)) === 'with-program');
  const head = handing.length === 0 ? undefined : headOf(program);
  const taking = head && handing.find((rule) => isMatched(rule, head));
  return taking && fileOf(taking);
}

/**
 * The file of our rule by which the kernel starts the launcher for foreign programs of a machine, whoever starts them;
 * undefined where there is none.
 */
export function ruleFor(key: MachineKey, directory = BINFMT_MISC): string | undefined {
  const machine = findMachine(key);
  const rules = machine === undefined ? [] : rulesFor([machine]);
  const files = rules
    .filter(({ name }) => !isForAppImages(name))
    .map(({ name }) => path.join(directory, name));
  return files.find((file) => entryBy(file) !== undefined);
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
