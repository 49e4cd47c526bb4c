// A shell's environment and its user's files → whether the hook is installed, half or not at all, and what mends it.
import { existsSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { type Machine, machinesRunBy } from '../../elf/machine.ts';
import { isExecutable, namesIn } from '../../host/files.ts';
import {
  hookMark,
  installLine,
  isShell,
  pathLine,
  readMark,
  SHELLS,
  type Shell,
} from '../../integrations/hooks/hook-text.ts';
import { type HookLine, hookLines, ownFiles } from '../../integrations/hooks/installed-hooks.ts';
import { inspectInterpreter } from '../../plan/strategy.ts';
import type { Check } from './checks.ts';
import { loaderOfNixLd } from './nix-ld-loader.ts';

export interface ShellFacts {
  /** Node's `process.arch`. */
  readonly arch: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The process that started this one, as shellName() has it. */
  readonly parent: string | undefined;
  readonly launcher: string;
  /** The directory of the shims; undefined for a user without a home directory. */
  readonly shims: string | undefined;
  /** shell-hooks/ */
  readonly hooks: string;
  /** The directory of the startup files for everybody: /etc. */
  readonly etc: string;
}

type HookFinding = Pick<Check, 'state' | 'detail' | 'remedy'>;

/** The shell that asks, which a variable that came from another shell does not tell. */
function shellOf({ env, parent }: ShellFacts): Shell | undefined {
  const named = [parent, path.basename(env['SHELL'] ?? '')].map((each) => each?.replace(/^-/, ''));
  return named.find((each): each is Shell => isShell(each));
}

function isSame(file: string, other: string): boolean {
  return (
    file === other || (existsSync(file) && existsSync(other) && realpathSync(file) === realpathSync(other))
  );
}

const again = (shell: Shell) => `install it again: ${installLine(shell)}`;

/** The hook that this shell says it has. */
function activeHook(shell: Shell, facts: ShellFacts): HookFinding | undefined {
  const mark = readMark(facts.env['NIX_RUN_FOREIGN_HOOK']);
  if (mark?.shell !== shell) return undefined;
  const bad = (state: Check['state'], detail: string): HookFinding => ({
    state,
    detail,
    remedy: again(shell),
  });
  if (!isExecutable(mark.launcher))
    return bad('lack', `this ${shell} starts programs with ${mark.launcher}, which is not there`);
  if (!isSame(mark.launcher, facts.launcher))
    return bad('note', `this ${shell} has the hook of another place: ${mark.launcher}`);
  if (mark.text !== readMark(hookMark(shell, facts.launcher, facts.hooks))?.text)
    return bad('note', `this ${shell} has the hook of another version`);
  return { state: 'ok', detail: `in this ${shell}` };
}

/** A line of the hook that this shell has not. */
function unreadLine(
  shell: Shell,
  { file, isForLogin }: HookLine,
  { env, parent }: ShellFacts,
): Pick<Check, 'detail' | 'remedy'> {
  const isLogin = parent?.startsWith('-') === true;
  const [first, ...others] = ownFiles(shell, env);
  if (isForLogin && !isLogin) {
    const detail = `${file} installs it, and this ${shell} has none: it is no login shell`;
    return { detail, remedy: `move the line to ${first}: only login shells read ${file}` };
  }
  // Of these bash reads only the first that is there (bash(1), INVOCATION).
  const before = others.slice(0, Math.max(0, others.indexOf(file))).find(existsSync);
  if (shell === 'bash' && before !== undefined) {
    const detail = `${file} installs it, and this bash has none: it reads ${before} instead`;
    return { detail, remedy: `move the line to ${first}, and have ${before} source that` };
  }
  const detail = `${file} installs it, and this ${shell} has none: it is older than the line, or did not read the file`;
  return { detail, remedy: `start the shell anew: exec ${shell}${isForLogin ? ' -l' : ''}` };
}

function missingHook(shell: Shell, facts: ShellFacts, way: string | undefined): Check {
  const subject = 'hook';
  const [file] = ownFiles(shell, facts.env);
  const lines = hookLines(shell, facts).filter(({ asked }) => asked === shell);
  const own = lines.find(({ isForLogin }) => !isForLogin) ?? lines[0];
  if (own !== undefined) return { subject, state: 'note', ...unreadLine(shell, own, facts) };
  // Another subject: what stands below `hook`, and is well, is a way by which programs start.
  if (way !== undefined)
    return { subject: 'no hook', state: 'ok', detail: `none is needed: programs start ${way}` };
  const others = SHELLS.filter((each) => each !== shell && hookLines(each, facts).length > 0);
  const detail =
    others.length > 0
      ? `the hook is installed for ${others.join(' and ')}, and this shell is ${shell}`
      : `not installed; programs start with nix-run-foreign, shims or binfmt`;
  return { subject, state: 'note', detail, remedy: `for ${shell} add to ${file}: ${installLine(shell)}` };
}

/** Lines that ask for the hook of a shell which does not read them. */
function leftoverLines(facts: ShellFacts): HookFinding[] {
  return SHELLS.flatMap((shell) => hookLines(shell, facts))
    .filter(({ reader, asked, isOwn }) => isOwn && reader !== asked)
    .map(({ file, reader, asked }) => ({
      state: 'lack',
      detail: `${file} is read by ${reader}, and asks for the hook of ${asked}`,
      remedy: `write there: ${installLine(reader)}`,
    }));
}

/** Those whose nix-ld may read the environment: the machine itself, and others that it runs where one sits. */
function machinesOfNixLd(arch: string): Machine[] {
  return machinesRunBy(arch).filter(
    ({ interpreter }, index) => index === 0 || inspectInterpreter(interpreter).kind === 'nix-ld',
  );
}

/** Variables that lead nix-ld to a loader or a launcher. */
function deadVariables(shell: Shell, { arch, env }: ShellFacts): HookFinding[] {
  const named = machinesOfNixLd(arch).flatMap((machine) => loaderOfNixLd(env, machine) ?? []);
  const dead = new Map(named.map(({ variable, file }) => [variable, file]));
  return [...dead].flatMap(([name, file]): HookFinding[] => {
    if (existsSync(file)) return [];
    const isOurs = path.basename(file) === 'nix-run-foreign';
    const unset = shell === 'fish' ? `set -e ${name}` : `unset ${name}`;
    return [
      {
        state: 'lack',
        detail: `${name} is ${file}, which is not there: nix-ld can start nothing`,
        remedy: isOurs ? again(shell) : `take it back: ${unset}`,
      },
    ];
  });
}

/** The hook finds shims; scripts and other programs do so by PATH only. */
function checkShims(shell: Shell, { env, shims }: ShellFacts): Check[] {
  const subject = 'shims';
  if (shims === undefined) {
    const detail = 'you have no home directory, so there are neither shims nor a hook';
    return [{ subject, state: 'note', detail, remedy: 'set HOME to a directory of yours' }];
  }
  const count = namesIn(shims).length;
  if (count === 0) return [];
  const isOnPath = (env['PATH'] ?? '').split(':').some((each) => each !== '' && path.resolve(each) === shims);
  if (isOnPath) return [{ subject, state: 'ok', detail: `${count} in ${shims}` }];
  const [file] = ownFiles(shell, env);
  return [
    {
      subject,
      state: 'note',
      detail: `${shims} is not on PATH`,
      remedy: `add to ${file}: ${pathLine(shell, shims)}`,
    },
  ];
}

/** Looks at the shell that asks, and at the files of all; `way`: how programs start without a hook, if they do. */
export function checkHooks(facts: ShellFacts, way: string | undefined): Check[] {
  const shell = shellOf(facts);
  const leftover = leftoverLines(facts);
  const dead = deadVariables(shell ?? 'bash', facts);
  const active = shell === undefined ? undefined : activeHook(shell, facts);
  // A file that is to be corrected tells why there is no hook, and so does the lack of a home.
  const isTold = leftover.length > 0 || facts.shims === undefined;
  const missing = shell === undefined || isTold ? undefined : missingHook(shell, facts, way);
  const own = active ?? missing;
  return [
    ...[...leftover, ...dead, ...(own === undefined ? [] : [own])].map((each) => ({
      subject: 'hook',
      ...each,
    })),
    ...checkShims(shell ?? 'bash', facts),
  ];
}
