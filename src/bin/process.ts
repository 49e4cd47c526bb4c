// The process as it was started → environment, messages and exit status put in order; shared by all executables.
import { statSync } from 'node:fs';
import packageJson from '../../package.json' with { type: 'json' };
import { configureReport, reportFailure } from '../host/output.ts';
import { isTrustedWay, staysTrustedWay } from '../host/trusted-way.ts';
import { type Context, contextOf, withDriverDirectories } from '../resolve/context.ts';

export const { version } = packageJson;

function isOwnDirectory(file: string, uid: number | undefined): boolean {
  try {
    const stats = statSync(file);
    return file.startsWith('/') && stats.isDirectory() && stats.uid === uid;
  } catch {
    return false;
  }
}

type WayRule = (file: string, uid: number) => boolean;

function counts(file: string | undefined, uid: number | undefined, rule: WayRule = isTrustedWay): boolean {
  // What is not UTF-8 has become U+FFFD.
  if (file === undefined || !file.startsWith('/') || file.includes('\ufffd')) return false;
  return uid === undefined || rule(file, uid);
}

/**
 * The first two are judged again when they are there (plan/PLAN.md). The others are not: one that is absent in /tmp
 * anybody could make while we run.
 */
const RULES: Readonly<Record<string, WayRule>> = {
  XDG_CACHE_HOME: isTrustedWay,
  XDG_STATE_HOME: isTrustedWay,
  XDG_CONFIG_HOME: staysTrustedWay,
  XDG_DATA_HOME: staysTrustedWay,
};

const BASES = Object.keys(RULES);

/**
 * Makes the environment mean what it means to the launcher (plan/PLAN.md): XDG directories count only when they are
 * absolute (XDG Base Directory Specification) and nobody else can change where they lead, HOME only when it is a
 * directory of the user's own as well.
 */
function normaliseEnvironment(env: NodeJS.ProcessEnv, uid: number | undefined): void {
  for (const [name, rule] of Object.entries(RULES)) if (!counts(env[name], uid, rule)) delete env[name];
  // The launcher gives the user's library path another name, so that it steers nothing of ours.
  const libraryPath = env['NIX_RUN_FOREIGN_LD_LIBRARY_PATH'];
  delete env['NIX_RUN_FOREIGN_LD_LIBRARY_PATH'];
  if (libraryPath !== undefined) env['LD_LIBRARY_PATH'] = libraryPath;
  const home = env['HOME'];
  if (home === undefined || !isOwnDirectory(home, uid) || !counts(home, uid)) delete env['HOME'];
}

/** What was to name the user's directories and does not count. */
function passedOver(
  asGiven: NodeJS.ProcessEnv,
  env: NodeJS.ProcessEnv,
  uid: number | undefined,
): Record<string, string> {
  const home = asGiven['HOME'] ?? '';
  // One of somebody else is not meant so: sudo leaves it.
  const names =
    env['XDG_CONFIG_HOME'] === undefined && isOwnDirectory(home, uid) ? [...BASES, 'HOME'] : BASES;
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = asGiven[name];
      return value && env[name] === undefined ? [[name, value]] : [];
    }),
  );
}

/** Runs one of the executables, with its name in front of messages. */
export async function begin(name: string, work: (context: Context) => Promise<void>): Promise<void> {
  const asGiven = { ...process.env };
  const uid = process.geteuid?.();
  normaliseEnvironment(process.env, uid);
  configureReport(name, process.env['NIX_RUN_FOREIGN_DEBUG'] === '1');
  try {
    const context = contextOf(process, version, passedOver(asGiven, process.env, uid));
    await work(await withDriverDirectories(context));
  } catch (error) {
    process.exitCode = reportFailure(error);
  }
}
