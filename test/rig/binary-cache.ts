// Roots over one rig → two machines: one that has the libraries, one that lacks them, and a binary cache between them.
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Rig, StoreObject } from './rig.ts';
import type { Bind, Root } from './root.ts';

/** A directory of the host that every root given its `bind` sees, at `inRoot`. */
export interface Exchange {
  readonly directory: string;
  readonly inRoot: string;
  readonly bind: Bind;
  close(): void;
}

/** A directory that anyone may write, for caches, keys and fingerprints that go from one root to another. */
export function openExchange(): Exchange {
  const directory = mkdtempSync(join(tmpdir(), 'nix-run-foreign-exchange-'));
  chmodSync(directory, 0o777);
  const inRoot = '/exchange';
  return {
    directory,
    inRoot,
    bind: { from: directory, to: inRoot, mode: 'read-write' },
    close: () => rmSync(directory, { recursive: true, force: true }),
  };
}

/** What a root's nix.conf says of where libraries come from (nix.conf(5)). */
export interface Substitution {
  readonly substituters: readonly string[];
  readonly trustedKeys: readonly string[];
  readonly trustedUsers?: readonly string[];
}

/**
 * The lines of a nix.conf, or of NIX_CONFIG for a root without a daemon. A failed download is not tried again, which
 * spares four seconds, and nothing is remembered of what a cache lacked.
 */
export function substitutionLines(settings: Substitution): string {
  const lines = [
    'build-users-group =',
    'sandbox = false',
    'substitute = true',
    `substituters = ${settings.substituters.join(' ')}`,
    `trusted-public-keys = ${settings.trustedKeys.join(' ')}`,
    `trusted-users = ${['root', ...(settings.trustedUsers ?? [])].join(' ')}`,
    'download-attempts = 1',
    'narinfo-cache-negative-ttl = 0',
    'narinfo-cache-positive-ttl = 0',
  ];
  return `${lines.join('\n')}\n`;
}

/** A nix.conf for a root, as one more of its binds, also seen by its daemon. */
export function substitutionBind(exchange: Exchange, name: string, settings: Substitution): Bind {
  const file = join(exchange.directory, `${name}.conf`);
  writeFileSync(file, substitutionLines(settings));
  return { from: file, to: '/etc/nix/nix.conf', mode: 'read-only' };
}

async function inRoot(root: Root, ...argv: [string, ...string[]]): Promise<string> {
  const { status, stdout, stderr } = await root.run({ argv });
  if (status !== 0) throw new Error(`${argv.join(' ')}: ${stderr}`);
  return stdout.trim();
}

export interface KeyPair {
  /** Path in every root that has the exchange. */
  readonly secretFile: string;
  /** `name:base64`. */
  readonly publicKey: string;
}

/** Has Nix make a key pair. */
export async function makeKeyPair(
  root: Root,
  exchange: Pick<Exchange, 'inRoot'>,
  name: string,
): Promise<KeyPair> {
  const at = (ending: string) => `${exchange.inRoot}/${name}.${ending}`;
  await inRoot(root, 'nix-store', '--generate-binary-cache-key', name, at('secret'), at('public'));
  const publicKey = await inRoot(root, 'nix', ...experimental, 'eval', '--raw', ...readingOf(at('public')));
  return { secretFile: at('secret'), publicKey };
}

const experimental = ['--extra-experimental-features', 'nix-command'] as const;

function readingOf(file: string): string[] {
  return ['--impure', '--expr', `builtins.readFile ${file}`];
}

/**
 * Copies closures into the cache `name` of the exchange, signed where there is a key. Not compressed, which spares
 * seconds. Returns its URL as Nix has it in a root.
 */
export async function fillCache(
  root: Root,
  exchange: Exchange,
  name: string,
  storePaths: readonly string[],
  key?: KeyPair,
): Promise<string> {
  mkdirSync(join(exchange.directory, name), { recursive: true });
  const url = `file://${exchange.inRoot}/${name}`;
  const secret = key === undefined ? '' : `&secret-key=${key.secretFile}`;
  await inRoot(
    root,
    'nix',
    ...experimental,
    'copy',
    '--to',
    `${url}?compression=none${secret}`,
    ...storePaths,
  );
  return url;
}

/** Makes a root a machine that lacks every library but those its own tools need: its collector takes the rest. */
export async function emptyStore(root: Root): Promise<void> {
  const { status, stderr } = await root.run({ argv: ['nix-store', '--gc'] });
  if (status !== 0) throw new Error(`the collector failed: ${stderr}`);
}

/** The store object of the rig that provides a soname. */
export function providerOf(rig: Rig, suite: string, soname: string): StoreObject {
  const found = rig.storeObjects.find(
    (each) => each.suite === suite && each.architecture === 'amd64' && each.provides.includes(soname),
  );
  if (!found) throw new Error(`the rig has no ${soname} of ${suite}`);
  return found;
}
