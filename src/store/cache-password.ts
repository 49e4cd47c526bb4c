// The address of a cache with a password or token in it → one without, and a file from which Nix takes it.
import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { makeDirectories } from '../host/files.ts';
import type { Environment } from '../host/tool-environment.ts';
import { credentialsFor } from './netrc.ts';

interface CacheAccess {
  /** For Nix's command line, which every user of the machine may read. */
  readonly address: string;
  readonly options: readonly string[];
  /** Removes the file. */
  readonly end: () => void;
}

/** curl since 7.84 takes quotes; a word that needs none gets none, as older ones take them as they are. */
function netrcWord(text: string): string {
  return /^[^\s"\\]+$/.test(text) ? text : `"${text.replaceAll(/["\\]/g, '\\$&')}"`;
}

function netrcOf({ hostname, username, password }: URL): string {
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  // What is empty is left out: to a curl before 7.84 a pair of quotes is the word itself.
  const word = (name: string, text: string) =>
    text === '' ? '' : ` ${name} ${netrcWord(decodeURIComponent(text))}`;
  return `machine ${host}${word('login', username)}${word('password', password)}\n`;
}

function webUrl(address: string): URL | null {
  return /^https?:/i.test(address) ? URL.parse(address) : null;
}

/** A user alone gets the password that Nix's own netrc-file has for it: ours comes in place of that. */
export async function withPassword(address: string, env: Environment): Promise<string> {
  const url = webUrl(address);
  if (url === null || url.username === '' || url.password !== '') return address;
  const found = await credentialsFor(url, env);
  if (found === undefined) return address;
  url.password = encodeURIComponent(found.slice(decodeURIComponent(url.username).length + 1));
  return url.href;
}

function passwordIn(address: string): { readonly bare: string; readonly netrc: string } | undefined {
  const url = webUrl(address);
  // A token stands in either place.
  if (url === null || (url.username === '' && url.password === '')) return undefined;
  try {
    const netrc = netrcOf(url);
    [url.username, url.password] = ['', ''];
    return { bare: url.href, netrc };
  } catch {
    return undefined; // a % that encodes nothing
  }
}

/**
 * Writes the file, for its owner only, beside others that a directory holds for one fetch.
 * @throws Node's errors when it cannot be written.
 */
export function accessTo(address: string, directory: string): CacheAccess {
  const found = passwordIn(address);
  if (found === undefined) return { address, options: [], end: () => {} };
  makeDirectories(directory);
  const file = path.join(directory, 'netrc');
  rmSync(file, { force: true });
  writeFileSync(file, found.netrc, { mode: 0o600, flag: 'wx' });
  const end = (): void => rmSync(file, { force: true });
  return { address: found.bare, options: ['--option', 'netrc-file', file], end };
}
