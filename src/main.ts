// The process → a command; the only place that reads process.argv and process.env and sets the exit status.
import { statSync } from 'node:fs';
import path from 'node:path';
import packageJson from '../package.json' with { type: 'json' };
import { errnoOf, ForeignError, reasonOf } from './errors.ts';
import { contextOf } from './pipeline/context.ts';
import { configureReport, debug, reportFailure } from './platform/report.ts';

const { version } = packageJson;

function isOwnDirectory(file: string, uid: number | undefined): boolean {
  try {
    const stats = statSync(file);
    return file.startsWith('/') && stats.isDirectory() && stats.uid === uid;
  } catch {
    return false;
  }
}

/** A stdout that is full or gone is a failure of ours; a reader that read enough (EPIPE) needs no message. */
function watchStdout(): void {
  process.stdout.on('error', (error) => {
    const status = errnoOf(error) === 'EPIPE' ? 125 : reportFailure(unwritable(error));
    process.exit(status);
  });
}

function unwritable(error: Error): ForeignError {
  return new ForeignError(`cannot write the result: ${reasonOf(error)}`, {
    code: 'stdout',
    hint: 'send it somewhere else',
    exitCode: 125,
    cause: error,
  });
}

/**
 * Makes the environment mean what it means to the launcher (launch/PLAN.md): XDG directories count only when they are
 * absolute (XDG Base Directory Specification), HOME only when it is a directory of the user's own.
 */
function normaliseEnvironment(env: NodeJS.ProcessEnv, uid: number | undefined): void {
  for (const name of ['XDG_CACHE_HOME', 'XDG_STATE_HOME', 'XDG_CONFIG_HOME', 'XDG_DATA_HOME']) {
    if (!env[name]?.startsWith('/')) delete env[name];
  }
  // The launcher gives the user's library path another name, so that it steers nothing of ours.
  const libraryPath = env['NIX_RUN_FOREIGN_LD_LIBRARY_PATH'];
  delete env['NIX_RUN_FOREIGN_LD_LIBRARY_PATH'];
  if (libraryPath !== undefined) env['LD_LIBRARY_PATH'] = libraryPath;
  const home = env['HOME'];
  if (home === undefined || !isOwnDirectory(home, uid)) delete env['HOME'];
}

/** `resolve --from-launcher [--refresh|--rehash] [--with-capabilities] -- PROGRAM`: the miss, where every millisecond counts. */
async function resolveForLauncher(words: readonly string[]): Promise<void> {
  debug('started');
  const { resolve } = await import('./commands/resolve.ts');
  const program = words.at(-1) ?? '';
  const how = words.includes('--refresh') ? 'refresh' : words.includes('--rehash') ? 'rehash' : 'as-needed';
  const context = contextOf(process, version);
  const capable = words[words.indexOf('--') - 1] === '--with-capabilities';
  const surroundings = { ...context.surroundings, capabilities: capable ? 'some' : 'none' } as const;
  await resolve(program, { ...context, surroundings }, how);
  // Nothing is left to do, and taking the process apart properly takes longer than ending it.
  process.exit(0);
}

/** `choose --from-launcher -- PROGRAM`: `nix-run-foreign --choose`, before the start. */
async function chooseForLauncher(words: readonly string[]): Promise<void> {
  const { chooseOnTheWay } = await import('./commands/choose-command.ts');
  process.exitCode = await chooseOnTheWay(words.at(-1) ?? '', contextOf(process, version));
}

async function run(words: readonly string[], entry: string): Promise<void> {
  if (words[0] === 'resolve' && words[1] === '--from-launcher')
    return await resolveForLauncher(words.slice(2));
  watchStdout();
  if (words[0] === 'choose' && words[1] === '--from-launcher') return await chooseForLauncher(words.slice(2));
  const { runCommandLine } = await import('./commands/command-line.ts');
  await runCommandLine(words, {
    context: contextOf(process, version),
    arch: process.arch,
    launcher: path.resolve(path.dirname(entry), '../bin/nix-run-foreign'),
    version,
    setExitStatus: (status) => {
      process.exitCode = status;
    },
  });
}

/** Runs one of the two executables, with its name in front of messages. `work` gets the environment as it was given. */
async function begin(name: string, work: (env: NodeJS.ProcessEnv) => Promise<void>): Promise<void> {
  const asGiven = { ...process.env };
  normaliseEnvironment(process.env, process.geteuid?.());
  configureReport(name, process.env['NIX_RUN_FOREIGN_DEBUG'] === '1');
  try {
    await work(asGiven);
  } catch (error) {
    process.exitCode = reportFailure(error);
  }
}

/** `nix-foreign`, from the first word to the exit status. `entry`: path of the file that Node was started with. */
export async function main(entry: string): Promise<void> {
  const words = process.argv.slice(2);
  const name = words[1] === '--from-launcher' ? 'nix-run-foreign' : 'nix-foreign';
  await begin(name, () => run(words, entry));
}

/** `bin/nix-run-foreign.mjs`, from the first word to the exit status. */
export async function launcherMain(): Promise<void> {
  await begin('nix-run-foreign', async (env) => {
    watchStdout();
    const { runMain } = await import('./commands/run-main.ts');
    await runMain(process.argv.slice(2), env, version);
  });
}
