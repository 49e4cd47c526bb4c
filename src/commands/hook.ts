// `nix-foreign hook`: a shell's name → what it evaluates.
import { existsSync } from 'node:fs';
import path from 'node:path';
import { machinesRunBy } from '../elf/machine.ts';
import { directoriesFile } from '../hooks/directories.ts';
import {
  type HookPlaces,
  hookText,
  isShell,
  offText,
  SHELLS,
  type Shell,
  seatsOf,
} from '../hooks/hook-text.ts';
import { inspectInterpreter } from '../launch/interpreter.ts';
import type { Context } from '../pipeline/context.ts';
import { dataDirectory } from '../platform/data-directory.ts';
import { printJson } from '../platform/print.ts';
import type { Edge } from './command-row.ts';
import { processName } from './process-name.ts';
import { usageError } from './usage-error.ts';

/**
 * The shell that is named; else the one that asks, else the one that has the hook, which a variable of another shell may
 * tell, else the user's. @throws ForeignError `usage`.
 */
function shellOf(name: string | undefined, env: Context['env']): Shell {
  const asking = processName(process.ppid)?.replace(/^-/, '');
  const others = [asking, env['NIX_RUN_FOREIGN_HOOK']?.split(':')[0], path.basename(env['SHELL'] ?? '')];
  const found = name ?? others.find((each) => each !== undefined && isShell(each));
  if (found !== undefined && isShell(found)) return found;
  const cause = name === undefined ? 'hook needs a shell' : `there is no hook for '${name}'`;
  throw usageError(cause, `name one of: ${SHELLS.join(', ')}`);
}

/** Before `nix-foreign setup` the launcher's substitute in Node starts programs, which nix-ld could not enter. */
function whatStarts(launcher: string, arch: string): Pick<HookPlaces, 'launcher' | 'stubs' | 'nixLd'> {
  const { stubs, nixLd } = seatsOf(machinesRunBy(arch));
  const isLauncher = inspectInterpreter(launcher).kind === 'launcher';
  return {
    launcher: existsSync(launcher) ? launcher : `${launcher}.mjs`,
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

/** shell-hooks/ lies beside the launcher's directory. */
export async function hookCommand(
  name: string | undefined,
  options: { off: boolean; json: boolean; wrap: readonly string[] },
  { context, arch, launcher }: Edge,
): Promise<void> {
  const shell = shellOf(name, context.env);
  const directory = path.resolve(path.dirname(launcher), '../shell-hooks');
  const data = await dataDirectory();
  const places = {
    ...whatStarts(launcher, arch),
    shims: path.join(data, 'shims'),
    directories: directoriesFile(data),
  };
  const wrapped = namesOf(options.wrap);
  const text = options.off ? offText(shell, directory) : hookText(shell, places, directory, wrapped);
  if (options.json) printJson({ shell, text });
  else process.stdout.write(text);
}
