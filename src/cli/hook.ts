// `nix-foreign hook` and `dirs`: a shell's name → what it evaluates; the directories whose programs run by name.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { machinesRunBy } from '../elf/machine.ts';
import { dataDirectory } from '../host/directories.ts';
import { printJson, printOneLine } from '../host/output.ts';
import {
  addDirectories,
  directoriesFile,
  readDirectories,
  removeDirectories,
} from '../integrations/hooks/hook-directories.ts';
import {
  atInterpreterPaths,
  type HookPaths,
  hookText,
  isShell,
  offText,
  SHELLS,
  type Shell,
} from '../integrations/hooks/hook-text.ts';
import { inspectInterpreter } from '../plan/strategy.ts';
import type { Context } from '../resolve/context.ts';
import type { EntryProcess } from './command.ts';
import { usageError } from './usage-error.ts';

/**
 * The shell that is named; else the one that asks, else the one that has the hook, which a variable of another shell
 * may tell, else the user's. @throws ForeignError `usage`.
 */
function shellOf(name: string | undefined, env: Context['env']): Shell {
  const asking = processName(process.ppid)?.replace(/^-/, '');
  const others = [asking, env['NIX_RUN_FOREIGN_HOOK']?.split(':')[0], path.basename(env['SHELL'] ?? '')];
  const found = name ?? others.find((each) => each !== undefined && isShell(each));
  if (found !== undefined && isShell(found)) return found;
  const cause = name === undefined ? 'hook needs a shell' : `there is no hook for '${name}'`;
  throw usageError(cause, `name one of: ${SHELLS.join(', ')}`);
}

/** nix-ld can enter nothing but a launcher. */
function whatStarts(launcher: string, arch: string): Pick<HookPaths, 'launcher' | 'stubs' | 'nixLd'> {
  const { stubs, nixLd } = atInterpreterPaths(machinesRunBy(arch));
  const isLauncher = inspectInterpreter(launcher).kind === 'launcher';
  return {
    launcher,
    stubs,
    nixLd: isLauncher ? nixLd : '',
  };
}

/** The names of `--wrap`, with commas between them. @throws ForeignError `usage` for what is no name of a command. */
function namesOf(values: readonly string[]): readonly string[] {
  const names = values.flatMap((value) => value.split(','));
  const wrong = names.find((name) => !/^[\w.+-]+$/.test(name));
  if (wrong !== undefined)
    throw usageError(
      `--wrap: '${wrong}' is no name of a command`,
      'name commands on PATH: --wrap python3,node',
    );
  return names;
}

export async function hookCommand(
  name: string | undefined,
  options: { off: boolean; json: boolean; wrap: readonly string[] },
  { context, arch, launcher, shellHooks: directory }: EntryProcess,
): Promise<void> {
  const shell = shellOf(name, context.env);
  const data = await dataDirectory();
  const paths = {
    ...whatStarts(launcher, arch),
    shims: path.join(data, 'shims'),
    directories: directoriesFile(data),
  };
  const wrapped = namesOf(options.wrap);
  const text = options.off ? offText(shell, directory) : hookText(shell, paths, directory, wrapped);
  if (options.json) printJson({ shell, text });
  else process.stdout.write(text);
}

/** Prints what was changed; with `--json` the list as it then is. @throws ForeignError `directory`. */
export async function dirsCommand(
  action: 'add' | 'remove' | 'list',
  directories: readonly string[],
  options: { json: boolean },
): Promise<void> {
  const file = directoriesFile(await dataDirectory());
  // As of a variable that is not set: it would be the working directory.
  if (directories.includes(''))
    throw usageError(`dirs ${action}: an empty name is no directory`, 'name a directory with programs in it');
  const named = directories.map((each) => path.resolve(each));
  const change = { add: addDirectories, remove: removeDirectories, list: readDirectories }[action];
  const all = await change(file, named);
  if (options.json) printJson(all);
  else if (action === 'list') for (const each of all) printOneLine(each);
  else for (const each of named) printOneLine(`${action === 'add' ? 'added' : 'removed'} ${each}`);
}

/**
 * The name of a process as proc_pid_comm(5) has it, without the end of a long one; undefined where it cannot be read.
 */
export function processName(pid: number): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
  } catch {
    return undefined;
  }
}

/** bash(1) and zsh(1), INVOCATION. */
const LOGIN_OPTION = /^-(?:[ailsx]*l[ailsx]*|-?login)$/;

/** The name of a process, behind a `-` where it is a shell that was started as a login shell. */
export function shellName(pid: number): string | undefined {
  const name = processName(pid)?.replace(/^-/, '');
  if (name === undefined) return undefined;
  try {
    const [called = '', ...options] = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    return called.startsWith('-') || options.some((each) => LOGIN_OPTION.test(each)) ? `-${name}` : name;
  } catch {
    return name;
  }
}
