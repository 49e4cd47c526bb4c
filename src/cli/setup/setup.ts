// `nix-foreign setup`: an installed npm package → its launcher, compiled, tried, and in the place of its command.
import { accessSync, constants, existsSync, readFileSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { ForeignError, reasonOf } from '../../host/errors.ts';
import { findOnPath } from '../../host/files.ts';
import { printJson, printOneLine } from '../../host/output.ts';
import { runProgram } from '../../host/run-program.ts';
import { toolEnvironment } from '../../host/tool-environment.ts';
import { inspectInterpreter } from '../../plan/strategy.ts';
import type { Context } from '../../resolve/context.ts';
import type { EntryProcess } from '../command.ts';
import { compileLauncher, type LauncherSources } from './compile-launcher.ts';
import {
  type CommandLink,
  commandLinkOnPath,
  isReplaced,
  mayReplace,
  type Package,
  packageOf,
  replaceCommand,
} from './package-links.ts';

interface SetupOptions {
  readonly force: boolean;
  readonly cc: string | undefined;
  readonly json: boolean;
}

function refusal(code: string, cause: string, hint: string): ForeignError {
  return new ForeignError(cause, { code, hint, exitCode: 125 });
}

/** The launcher names Node: a profile's link to it outlives the file in the store, which may be collected. */
function lastingNode(own: string, { env, location }: Context): string {
  if (!own.startsWith(`${location.storeDir}/`)) return own;
  const onPath = findOnPath('node', env['PATH']);
  const isSame =
    onPath !== undefined && path.isAbsolute(onPath) && realpathSync(onPath) === realpathSync(own);
  return isSame ? onPath : own;
}

function sourcesFor({ context, launcher, version }: EntryProcess): LauncherSources {
  const top = path.resolve(path.dirname(launcher), '..');
  const sources = path.join(top, 'launcher');
  if (!existsSync(sources))
    throw refusal(
      'no-sources',
      `the launcher's sources are not at ${sources}`,
      'install the whole package: npm install --global nix-run-foreign',
    );
  return {
    sources,
    version,
    node: lastingNode(process.execPath, context),
    script: path.join(top, 'dist/nix-foreign.cjs'),
  };
}

/** Why it does not run here; undefined when it says the version that it should. */
async function whyNotRunning(file: string, version: string): Promise<string | undefined> {
  const { status, stdout, failure } = await runProgram(file, ['--version'], { env: {}, timeout: 10_000 });
  if (failure !== undefined) return failure;
  if (status !== 0) return `it ends with ${status ?? 'a signal'}`;
  return stdout === `nix-run-foreign ${version}\n` ? undefined : `it says ${stdout.trim()}`;
}

/** Whether it is of this version and starts this Node with this script. */
async function isCurrent(launcher: string, { version, node, script }: LauncherSources): Promise<boolean> {
  if (inspectInterpreter(launcher).kind !== 'launcher') return false;
  const content = readFileSync(launcher);
  const names = [node, script].every((each) => content.includes(`${each}\0`));
  return names && (await whyNotRunning(launcher, version)) === undefined;
}

function refuseUnwritable(directory: string): void {
  try {
    accessSync(directory, constants.W_OK);
  } catch (error) {
    const cause = `cannot write ${directory}: ${reasonOf(error)}`;
    throw refusal('unwritable', cause, 'as the one who installed it, e.g. root: sudo nix-foreign setup');
  }
}

async function compile(
  launcher: string,
  from: LauncherSources,
  cc: string,
  env: Context['env'],
): Promise<void> {
  const done = await compileLauncher(
    from,
    { cc, flags: [], env: toolEnvironment(env) },
    launcher,
    async (file) => {
      const why = await whyNotRunning(file, from.version);
      if (why === undefined) return;
      const hint = 'try another compiler: nix-foreign setup --cc clang';
      throw refusal('launcher', `what ${cc} made does not run: ${why}`, hint);
    },
  );
  if (done.kind === 'no-compiler')
    throw refusal(
      'no-compiler',
      `there is no C compiler ${cc}; without a launcher nix-run-foreign goes through Node`,
      'install one, then again: nix-foreign setup (Debian: apt-get install gcc; with Nix: nix-shell -p gcc)',
    );
  if (done.kind === 'rejected')
    throw refusal(
      'compiler',
      `${cc} did not compile the launcher: ${done.why.split('\n').find((line) => line.includes('error')) ?? done.why}`,
      'try another compiler: nix-foreign setup --cc clang',
    );
}

/** What to type so that the command is the launcher, where the package's own links do not do it. */
function remedyFor({ launcher }: Package, link: CommandLink): string | undefined {
  if (link.kind === 'ours') return undefined;
  const makeLink = (file: string) => `ln -sf ${launcher} ${file}`;
  if (link.kind === 'none')
    return `nix-run-foreign is not on PATH: ${makeLink('/usr/local/bin/nix-run-foreign')}`;
  const what = link.kind === 'shim' ? 'goes through Node' : 'is another one';
  return `${link.file} ${what}: ${makeLink(link.file)}`;
}

/** Prints what it did, and what is left to do. @throws ForeignError where there is no launcher afterwards. */
export async function setupCommand(options: SetupOptions, entry: EntryProcess): Promise<void> {
  const { context, launcher, version } = entry;
  const ours = packageOf(launcher);
  const from = sourcesFor(entry);
  const cc = options.cc ?? (context.env['CC'] || 'cc');
  const isThere = !options.force && (await isCurrent(launcher, from));
  if (!isThere) {
    refuseUnwritable(path.dirname(launcher));
    await compile(launcher, from, cc, context.env);
  }
  const link = commandLinkOnPath(ours, context.env['PATH']);
  const replaces = mayReplace(ours, link) && !isReplaced(ours);
  if (replaces) {
    refuseUnwritable(path.dirname(launcher));
    replaceCommand(ours);
  }
  const after = commandLinkOnPath(ours, context.env['PATH']);
  const remedy = remedyFor(ours, after);
  const state = isThere ? 'there' : 'compiled';
  if (options.json)
    return printJson({ launcher, version, state, replaced: replaces, remedy: remedy ?? null });
  printOneLine(
    isThere
      ? `${launcher} is there already: nix-run-foreign ${version}`
      : `compiled ${launcher} with ${cc}, and it runs: nix-run-foreign ${version}`,
  );
  if (replaces)
    printOneLine(`${ours.command} is the same file now, so whatever leads there starts it without Node`);
  printOneLine(
    remedy ?? 'next: nix-run-foreign PROGRAM; by their own names in your shell: nix-foreign hook --help',
  );
}
