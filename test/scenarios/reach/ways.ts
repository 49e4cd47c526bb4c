// A way to reach a foreign program → a root in which scripts start one by that way, as a user or as root.
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after } from 'node:test';
import { builtLauncher } from '../../built-launcher.ts';
import type { Rig } from '../../rig/rig.ts';
import { type CommandLine, homeInRoot, type Outcome, type RootOptions } from '../../rig/root.ts';
import { runCommand } from '../../rig/run-command.ts';
import { onHost } from '../foreign-files.ts';
import { launcher, openToolRoot, type Settings, type ToolRoot } from '../tool.ts';
import { becomeRoot, compileEntry, wordsWithSetuid } from './setuid-root.ts';

interface Way {
  /** What sits at the program's interpreter path; `launcher` is ours. */
  readonly interpreterPath: 'none' | 'stub-ld' | 'nix-ld' | 'launcher';
  /** Whether the command is put in front, and what is asked for. */
  readonly prefix?: 'auto' | 'loader' | 'namespace' | 'patched' | 'view';
  readonly session?: Readonly<Record<string, string>>;
  readonly binfmt?: boolean;
  /** Whether the program itself is patched. */
  readonly patched?: boolean;
}

/** In the order of the table's columns. */
export const ways = {
  'prefix, `loader`': { interpreterPath: 'none', prefix: 'loader' },
  'prefix, nix-ld': { interpreterPath: 'nix-ld', prefix: 'auto' },
  '`NIX_LD`': { interpreterPath: 'nix-ld', session: { NIX_LD: launcher } },
  interpreter: { interpreterPath: 'launcher' },
  binfmt_misc: { interpreterPath: 'none', binfmt: true },
  '`namespace`': { interpreterPath: 'stub-ld', prefix: 'namespace' },
  '`patched`': { interpreterPath: 'none', prefix: 'patched' },
  '`view`': { interpreterPath: 'none', prefix: 'view' },
  'patched file': { interpreterPath: 'none', patched: true },
} as const satisfies Readonly<Record<string, Way>>;

export type WayName = keyof typeof ways;

/** The user of most tests; root has a home below this user's. */
export const USER = 1234;
const homeOfRoot = path.join(homeInRoot, 'root');

export interface ScriptSettings extends Settings {
  readonly uid?: number;
  /** Words of the host that are put before everything, as `strace -f`. */
  readonly under?: readonly string[];
}

export interface OpenWay extends ToolRoot {
  readonly name: WayName;
  /** Runs a script of the store's bash; `$start PROGRAM ...` in it starts a program by this way. */
  script(text: string, settings?: ScriptSettings): Promise<Outcome>;
  /** Has the program planned for both users, where the way is one to be asked for. */
  plan(program: string): Promise<void>;
}

async function launcherOfHost(rig: Rig): Promise<`/${string}`> {
  const directory = mkdtempSync(path.join(tmpdir(), 'nix-run-foreign-interpreter-'));
  after(() => rmSync(directory, { recursive: true, force: true }));
  chmodSync(directory, 0o755);
  const output = path.join(directory, 'launcher');
  await builtLauncher({ output, node: rig.node, script: '/opt/tool/dist/nix-foreign.cjs' });
  return output as `/${string}`;
}

/** In the instance of binfmt_misc the rules come first, by its user 0; then the script, by whom it is for. */
function argvOf(rig: Rig, way: Way, text: string, uid: number): readonly [string, ...string[]] {
  const script = `start='${way.prefix ? launcher : ''}'\n${text}`;
  if (!way.binfmt) return [rig.bash, '-c', script];
  const install = `HOME=${homeOfRoot} ${rig.node} /opt/tool/dist/nix-foreign.cjs binfmt install >/dev/null || exit 99`;
  const become = uid === 0 ? 'exec' : `exec ${becomeRoot} - user ${uid} ${homeInRoot}`;
  return [rig.bash, '-c', `${install}; ${become} ${rig.bash} -c "$1"`, 'bash', script];
}

const isAsked = ({ prefix }: Way) => prefix !== undefined && prefix !== 'auto';

/** Opens the way; call it before the first test. */
export async function openWay(rig: Rig, name: WayName): Promise<OpenWay> {
  const way: Way = ways[name];
  const interpreter = way.interpreterPath === 'launcher' ? await launcherOfHost(rig) : way.interpreterPath;
  const options: RootOptions = { uid: USER, daemon: 'running', interpreter };
  const root = await openToolRoot(rig, options);
  compileEntry(root);
  mkdirSync(onHost(root, homeOfRoot));
  chownSync(onHost(root, homeOfRoot), 0, 0);
  const script = (text: string, { uid = USER, under = [], ...settings }: ScriptSettings = {}) => {
    // Root trusts no home below a user's, and has a new one in each root: nothing that was asked for is saved there.
    const asked = isAsked(way) ? { NIX_RUN_FOREIGN_STRATEGY: way.prefix } : {};
    const home = uid === 0 ? { HOME: homeOfRoot, USER: 'root', ...asked } : { NIX_REMOTE: 'daemon' };
    const env = { ...home, ...way.session, ...settings.env };
    const how = way.binfmt ? 'binfmt' : 'plain';
    const command = { ...settings, env, argv: argvOf(rig, way, text, uid) };
    const as = { uid: way.binfmt ? 0 : uid, how } as const;
    const line: CommandLine = wordsWithSetuid(root, command, as);
    return runCommand({ ...line, words: [...under, ...line.words] }, command, 'own-status');
  };
  const patch = async (program: string) => {
    for (const each of [path.dirname(program), program]) chownSync(onHost(root, each), USER, USER);
    const words = `${rig.node} /opt/tool/dist/nix-foreign.cjs patch -y ${program}`;
    const { status, stderr } = await script(words);
    if (status !== 0) throw new Error(`${name}: ${stderr}`);
  };
  const plan = async (program: string) => {
    if (way.patched) return await patch(program);
    if (!isAsked(way)) return;
    const words = `${rig.node} /opt/tool/dist/nix-foreign.cjs resolve --strategy ${way.prefix} ${program}`;
    for (const uid of [USER, 0]) {
      const { stdout, stderr } = await script(words, { uid });
      if (!stdout.endsWith(`strategy ${way.prefix}\n`)) throw new Error(`${name}: ${stdout}${stderr}`);
    }
  };
  return { ...root, name, script, plan };
}
