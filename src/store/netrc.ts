// A host → the user and the password that Nix would send it: those of its `netrc-file` (nix.conf(5)).
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { runProgram } from '../host/run-program.ts';
import type { Environment } from '../host/tool-environment.ts';
import { findNix, type Nix } from './nix.ts';

/** Milliseconds; it reads its configuration and no more. */
const LONGEST_ASKED = 2000;

/** All settings: Nix before 2.20 has no `config show`, of the newer ones each knows this name (2.8 to 2.34). */
const SETTINGS = ['--extra-experimental-features', 'nix-command', 'show-config'];

async function settingOf({ bin, env }: Nix): Promise<string | undefined> {
  const { status, stdout } = await runProgram(path.join(bin, 'nix'), SETTINGS, {
    env: { ...env, NO_COLOR: '1' },
    timeout: LONGEST_ASKED,
  });
  return status === 0 ? /^netrc-file = (.*)$/m.exec(stdout)?.[1] : undefined;
}

async function netrcFile(env: Environment): Promise<string> {
  const nix = findNix(env);
  return (nix && (await settingOf(nix))) ?? path.join(env['NIX_CONF_DIR'] || '/etc/nix', 'netrc');
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' };

/** Without comments, and macros of ftp(1), which go on to an empty line. Quotes are those of curl since 7.84. */
function wordsOf(text: string): string[] {
  const plain = text.replace(/^[ \t]*#.*$/gm, '').replace(/(?<!\S)macdef\s.*?(?:\n\r?\n|$)/gs, '\n');
  return [...plain.matchAll(/"((?:[^"\\]|\\.)*)"(?!\S)|\S+/g)].map(
    ([word, quoted]) => quoted?.replace(/\\(.)/g, (_, each: string) => ESCAPES[each] ?? each) ?? word,
  );
}

/**
 * `user:password` of the first entry for the host, or for all (`default`); either may be empty. Undefined where there
 * is none, or none of this user. As curl reads the file, which Nix hands it to (curl, lib/netrc.c).
 */
export function credentialsIn(netrc: string, host: string, user = ''): string | undefined {
  const words = wordsOf(netrc);
  const isOfUser = (login: string): boolean => user === '' || login === user;
  let found: { login: string; password: string } | undefined;
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at];
    if (word === 'machine' || word === 'default') {
      if (found !== undefined && isOfUser(found.login)) break;
      found = undefined;
      const name = word === 'default' ? host : words[++at];
      if (name?.toLowerCase() === host.toLowerCase()) found = { login: '', password: '' };
    } else if (word === 'login' || word === 'password' || word === 'account') {
      const value = words[++at] ?? '';
      if (found !== undefined && word !== 'account') found[word] = value;
    }
  }
  if (found === undefined || !isOfUser(found.login)) return undefined;
  return found.login || found.password ? `${found.login}:${found.password}` : undefined;
}

/**
 * As `credentialsIn`, of the user that the address names, if any; a file that is not there, or is not this user's to
 * read, has none.
 */
export async function credentialsFor(
  { hostname, username }: URL,
  env: Environment,
): Promise<string | undefined> {
  const file = await netrcFile(env);
  try {
    const host = hostname.replace(/^\[(.*)\]$/, '$1');
    return credentialsIn(readFileSync(file, 'utf8'), host, decodeURIComponent(username));
  } catch {
    return undefined;
  }
}
