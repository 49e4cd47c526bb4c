// The kernel's binfmt_misc directory → a rule as it is shown there, and whether it counts now.
import { readFileSync } from 'node:fs';
import path from 'node:path';

/** Where the kernel's directory is mounted (Documentation/admin-guide/binfmt-misc.rst). */
export const BINFMT_MISC = '/proc/sys/fs/binfmt_misc';

/** A rule as the kernel shows it. */
export interface RegisteredRule {
  readonly name: string;
  readonly enabled: boolean;
  readonly interpreter: string;
  readonly flags: string;
}

/** @throws Node's errors where the file of the rule is not there. */
export function readRule(file: string): RegisteredRule {
  const lines = readFileSync(file, 'utf8').split('\n');
  const after = (word: string) => lines.find((line) => line.startsWith(word))?.slice(word.length) ?? '';
  return {
    name: path.basename(file),
    enabled: lines[0] === 'enabled',
    interpreter: after('interpreter '),
    flags: after('flags: '),
  };
}

/** Whether the kernel looks at rules at all: `echo 0 > status` turns all of them off. */
export function isOn(directory: string): boolean {
  try {
    return readFileSync(path.join(directory, 'status'), 'utf8').startsWith('enabled');
  } catch {
    return false;
  }
}

/**
 * How the kernel starts the launcher by a rule: with the program as its argument or, by the flag L, as the program's
 * loader. Undefined where it does not now: the rule, or all of them, are turned off or gone.
 */
export function entryBy(file: string): 'with-program' | 'as-loader' | undefined {
  try {
    const { enabled, flags } = readRule(file);
    if (!enabled || !isOn(path.dirname(file))) return undefined;
    return flags.includes('L') ? 'as-loader' : 'with-program';
  } catch {
    return undefined;
  }
}
