// One rig → a machine that knows a program, one on which its libraries never were, and what goes from one to the other.
import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after } from 'node:test';
import { type Exchange, emptyStore, openExchange, substitutionLines } from '../../rig/binary-cache.ts';
import type { Rig } from '../../rig/rig.ts';
import { homeInRoot, type Outcome, type RootOptions } from '../../rig/root.ts';
import { copyHome, foreign } from '../foreign-files.ts';
import { openToolRoot, type Settings, type ToolRoot } from '../tool.ts';

/** A directory between machines; it goes when the tests of the file have ended. */
export function exchangeForTests(): Exchange {
  const exchange = openExchange();
  after(() => exchange.close());
  return exchange;
}

/** A machine with jq in its home and nothing planned yet. */
export interface Machine extends ToolRoot {
  readonly uid: number;
  /** jq, as a path of the root. */
  readonly program: string;
  /** `/var/lib` of the machine, as a path of the host. */
  readonly varLib: string;
}

export const words = ['-n', '6*7'];

/** Opens a root in which the exchange is seen, and a /var/lib of its own. */
export async function openMachine(rig: Rig, exchange: Exchange, options: RootOptions = {}): Promise<Machine> {
  const varLib = mkdtempSync(path.join(tmpdir(), 'nix-run-foreign-var-lib-'));
  after(() => rmSync(varLib, { recursive: true, force: true }));
  chmodSync(varLib, 0o755);
  const own = { from: varLib, to: '/var/lib', mode: 'read-write' } as const;
  const binds = [exchange.bind, own, ...(options.binds ?? [])];
  const root = await openToolRoot(rig, { ...options, binds });
  const uid = options.uid ?? 0;
  const program = copyHome(root, foreign(rig, 'bookworm', 'jq'), 'apps/jq');
  for (const each of ['apps', 'apps/jq']) chownSync(path.join(root.homeDir, each), uid, uid);
  return { ...root, uid, program, varLib };
}

/** Makes it a machine on which nothing was ever started, with a store in which only Nix, Node and `held` are. */
export async function startOver(machine: Machine, held: readonly string[] = []): Promise<void> {
  forget(machine);
  const roots = path.join(machine.nixDir, 'var/nix/gcroots/held-by-the-test');
  rmSync(roots, { recursive: true, force: true });
  mkdirSync(roots);
  for (const each of held) symlinkSync(each, path.join(roots, path.basename(each)));
  await emptyStore(machine);
}

/** Forgets what the user's starts left; the store keeps what it has. */
export function forget({ homeDir }: Machine): void {
  for (const saved of ['.cache', '.local'])
    rmSync(path.join(homeDir, saved), { recursive: true, force: true });
}

/** Writes the user's config.toml. Returns its path in the root. */
export function configure({ homeDir, uid }: Machine, text: string): string {
  const directory = path.join(homeDir, '.config/nix-run-foreign');
  mkdirSync(directory, { recursive: true });
  const file = path.join(directory, 'config.toml');
  writeFileSync(file, text);
  for (const each of ['.config', '.config/nix-run-foreign', '.config/nix-run-foreign/config.toml']) {
    chownSync(path.join(homeDir, each), uid, uid);
  }
  return path.join(homeInRoot, '.config/nix-run-foreign/config.toml');
}

/** Puts a file beside the machine's jq, or elsewhere below its home, as one of its user's. */
export function putFile(machine: Machine, name: string, text: string | Uint8Array, mode = 0o644): string {
  const file = path.join(machine.homeDir, name);
  mkdirSync(path.dirname(file), { recursive: true });
  rmSync(file, { force: true });
  writeFileSync(file, text, { mode });
  chownSync(file, machine.uid, machine.uid);
  return path.join(homeInRoot, name);
}

export const SIDECAR = 'apps/jq.nix-fingerprint.json';

/** What a machine's Nix is told of caches, for one start. `bin` chooses the Nix. */
export function fetching(
  substituters: readonly string[],
  trustedKeys: readonly string[],
  bin = '',
): Settings {
  const text = substitutionLines({ substituters, trustedKeys });
  return { env: { NIX_CONFIG: text, ...(bin === '' ? {} : { PATH: bin }) } };
}

/** Adds variables to what one start is given. */
export function withEnv(settings: Settings, env: NonNullable<Settings['env']>): Settings {
  return { ...settings, env: { ...settings.env, ...env } };
}

export function isInStore({ nixDir }: Machine, storePath: string): boolean {
  return existsSync(path.join(nixDir, path.relative('/nix', storePath)));
}

/** Runs a command of the manager that must succeed. */
export async function manage(
  machine: Machine,
  line: readonly string[],
  settings?: Settings,
): Promise<string> {
  const { status, stdout, stderr } = await machine.manage(line, settings);
  assert.equal(status, 0, `${line.join(' ')}: ${stderr}`);
  return stdout;
}

/** The program ran, and we said these lines about it. */
export function assertRan({ status, stdout, stderr }: Outcome, said: readonly RegExp[] = []): void {
  assert.deepEqual([status, stdout], [0, '42\n'], stderr);
  const lines = stderr.split('\n').filter((line) => line !== '');
  assert.equal(lines.length, said.length, stderr);
  for (const [index, each] of said.entries()) assert.match(lines[index] ?? '', each);
}

/** Where the plan of a machine's jq came from, as `explain` says it. */
export async function originOf(machine: Machine, settings?: Settings): Promise<string> {
  const explained = JSON.parse(await manage(machine, ['explain', '--json', machine.program], settings));
  return (explained as { origin: string }).origin;
}
