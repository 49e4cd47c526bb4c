// The address of a binary cache → its files as bytes, one by one, in bounded time and memory.
import { closeSync, constants, fstatSync, openSync, readdirSync, readFileSync } from 'node:fs';
import type { Agent, IncomingMessage } from 'node:http';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ServerTrust, withTrust } from '../host/authorities.ts';
import { errnoOf, reasonOf } from '../host/errors.ts';
import { bytesOf, credentialsOf, lookupUntil, whyUnreachable } from '../host/http.ts';
import { proxyEnvironment } from '../host/proxies.ts';
import { credentialsFor } from '../store/netrc.ts';

export type CacheAnswer =
  | { readonly kind: 'found'; readonly bytes: Buffer }
  | { readonly kind: 'absent'; readonly refusal?: WantsPassword | undefined }
  /** One clause. */
  | { readonly kind: 'unreachable'; readonly why: string; readonly refusal?: WantsPassword | undefined };

/** Who may want a password: the cache, which need not have the file, or the proxy on the way, by its variable. */
type WantsPassword = 'cache' | 'http_proxy' | 'https_proxy';

export interface CacheClient {
  /** `name` is relative to the cache; `most`: milliseconds, where there are fewer than for any file. Never throws. */
  get(name: string, most?: number): Promise<CacheAnswer>;
  /** Names of all files, where the cache can be listed. */
  list(): Promise<readonly string[] | undefined>;
  close(): void;
}

/** In milliseconds. */
interface Patience {
  /** For a file, with names, connections and redirects; begins again whenever another one comes from the cache. */
  readonly timeout: number;
  /** Before it is asked again for a file, where that may help. */
  readonly pauses: readonly number[];
}

/** Somebody waits for a program; a source of fingerprints has as long for a file. `whole`: for all of a start. */
export const AT_A_START = { timeout: 5000, pauses: [], whole: 20_000 } as const;
/** One lost connection among thousands of files must not be the end. */
export const AT_A_BUILD: Patience = { timeout: 60_000, pauses: [250, 2000] };

/** Bytes, as sent. The listing of the largest packages has a few MB. */
const LARGEST = 64 << 20;
const MOST_REDIRECTS = 5;
const SOCKETS = 16;

function unreachable(why: string, refusal?: WantsPassword): CacheAnswer {
  return { kind: 'unreachable', why, ...(refusal && { refusal }) };
}

function readBounded(file: string): CacheAnswer {
  let fd: number | undefined;
  try {
    fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
    const stats = fstatSync(fd);
    if (!stats.isFile() || stats.size > LARGEST) return unreachable(`${file} is no file of a cache`);
    return { kind: 'found', bytes: readFileSync(fd) };
  } catch (error) {
    return errnoOf(error) === 'ENOENT' ? { kind: 'absent' } : unreachable(`${file}: ${reasonOf(error)}`);
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

function directoryClient(directory: string): CacheClient {
  return {
    get: (name) => Promise.resolve(readBounded(path.join(directory, name))),
    list: () => {
      try {
        return Promise.resolve(readdirSync(directory));
      } catch {
        return Promise.resolve(undefined);
      }
    },
    close: () => {},
  };
}

interface Web {
  readonly base: URL;
  readonly agents: Map<string, Agent>;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly patience: Patience;
  /** `user:password`; undefined before the first request. */
  auth?: Promise<string | undefined>;
  trust: ServerTrust;
  /** When it last answered, by `performance.now()`. */
  heard: number;
}

/** node:http, as host/http.ts has it, but with connections that stay open: an index takes thousands of files. */
function agentFor({ agents, env }: Web, protocol: string): Agent {
  const known = agents.get(protocol);
  if (known !== undefined) return known;
  const { Agent } = process.getBuiltinModule(protocol === 'https:' ? 'node:https' : 'node:http');
  const agent = new Agent({
    keepAlive: true,
    maxSockets: SOCKETS,
    proxyEnv: proxyEnvironment(env),
  });
  agents.set(protocol, agent);
  return agent;
}

/** Those of the address; where it has no password, what Nix would send. */
function authOf(web: Web): Promise<string | undefined> {
  web.auth ??= credentialsToSend(web);
  return web.auth;
}

async function credentialsToSend({ base, env }: Web): Promise<string | undefined> {
  const found = base.password === '' ? await credentialsFor(base, env) : undefined;
  return found ?? credentialsOf(base);
}

async function request(web: Web, url: URL, signal: AbortSignal): Promise<IncomingMessage> {
  const { get } = process.getBuiltinModule(url.protocol === 'https:' ? 'node:https' : 'node:http');
  const bare = new URL(url);
  [bare.username, bare.password] = ['', ''];
  // What a redirect leads to elsewhere gets no password.
  const auth = url.origin === web.base.origin ? await authOf(web) : undefined;
  const options = {
    agent: agentFor(web, url.protocol),
    headers: { 'user-agent': 'nix-run-foreign' },
    lookup: lookupUntil(web.patience.timeout, web.env['PATH'], signal),
    signal,
    ...(auth === undefined ? {} : { auth }),
  };
  const send = (trust: ServerTrust): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      get(bare, { ...options, ...trust }, resolve).on('error', reject);
    });
  return await withTrust(web.env, web, send);
}

/** From https to https only. */
function redirectOf(response: IncomingMessage, from: URL): URL | undefined {
  const target = URL.parse(response.headers.location ?? '', from.href);
  if (response.headers.location === undefined || target === null) return undefined;
  return target.protocol === 'https:' || target.protocol === from.protocol ? target : undefined;
}

/** What one request says. `busy`: the next may say something else; one clause. */
type Reply = CacheAnswer | { readonly kind: 'busy'; readonly why: string };

const LOST = ['ECONNRESET', 'EPIPE', 'ETIMEDOUT'];

const REFUSALS: ReadonlyMap<number, WantsPassword> = new Map([
  [401, 'cache'],
  [407, 'http_proxy'],
]);

/** Of https: the proxy answers CONNECT, and Node tells its status in words alone (lib/https.js). */
function refusalOfTunnel(error: unknown): WantsPassword | undefined {
  const isRefused = errnoOf(error) === 'ERR_PROXY_TUNNEL' && /: HTTP\/1\.\d 407\b/.test(reasonOf(error));
  return isRefused ? 'https_proxy' : undefined;
}

function isBusy(status: number): boolean {
  return status === 429 || status >= 500;
}

async function answerOf(response: IncomingMessage): Promise<Reply> {
  const status = response.statusCode ?? 0;
  const bytes = await bytesOf(response, LARGEST);
  // S3 answers 403 for what is not there to those who may not list.
  if (status === 403) return { kind: 'absent', refusal: 'cache' };
  if ([404, 410].includes(status)) return { kind: 'absent' };
  const why = `it answers with status ${status}`;
  if (status !== 200) return isBusy(status) ? { kind: 'busy', why } : unreachable(why, REFUSALS.get(status));
  return bytes === undefined
    ? unreachable(`it answers with more than ${LARGEST} bytes`)
    : { kind: 'found', bytes };
}

async function getFrom(web: Web, name: string, signal: AbortSignal): Promise<Reply> {
  let url = new URL(web.base);
  url.pathname = `${url.pathname.replace(/\/+$/, '')}/${name}`;
  for (let redirects = 0; redirects <= MOST_REDIRECTS; redirects += 1) {
    const response = await request(web, url, signal);
    if (![301, 302, 303, 307, 308].includes(response.statusCode ?? 0)) return await answerOf(response);
    response.resume();
    const target = redirectOf(response, url);
    if (target === undefined) return unreachable('it redirects to another kind of address');
    url = target;
  }
  return unreachable('it redirects without end');
}

/** A page with links, as web servers make of directories, names the files. */
function namesOnPage(bytes: Buffer): string[] {
  return [
    ...new Set(
      [...bytes.toString('latin1').matchAll(/\b([0-9a-z]{32}\.narinfo)\b/g)].map(([, name = '']) => name),
    ),
  ];
}

/** Aborts once nothing has come from the cache for `timeout`: one that answers one after the other is not silent. */
function whileHeard(web: Web, timeout: number, most: number): { signal: AbortSignal; end: () => void } {
  const [began, controller] = [performance.now(), new AbortController()];
  const left = () => Math.min(began + most, Math.max(began, web.heard) + timeout) - performance.now();
  const check = () => {
    const rest = left();
    if (rest <= 0) controller.abort(new DOMException('silence', 'TimeoutError'));
    else timer = setTimeout(check, Math.ceil(rest));
  };
  let timer = setTimeout(check, Math.ceil(left()));
  return { signal: controller.signal, end: () => clearTimeout(timer) };
}

async function getOnce(web: Web, name: string, most: number): Promise<Reply> {
  const timeout = Math.ceil(Math.min(web.patience.timeout, most));
  const { signal, end } = whileHeard(web, timeout, most);
  try {
    const reply = await getFrom(web, name, signal);
    web.heard = performance.now();
    return reply;
  } catch (error) {
    const why = whyUnreachable(error, signal, timeout);
    return LOST.includes(errnoOf(error) ?? '')
      ? { kind: 'busy', why }
      : unreachable(why, refusalOfTunnel(error));
  } finally {
    end();
  }
}

function webClient(web: Web): CacheClient {
  const get = async (name: string, most = Number.POSITIVE_INFINITY): Promise<CacheAnswer> => {
    let reply = await getOnce(web, name, most);
    for (const pause of web.patience.pauses) {
      if (reply.kind !== 'busy') break;
      await new Promise((resolve) => setTimeout(resolve, pause));
      reply = await getOnce(web, name, most);
    }
    return reply.kind === 'busy' ? unreachable(reply.why) : reply;
  };
  return {
    get,
    list: async () => {
      const page = await get('');
      const names = page.kind === 'found' ? namesOnPage(page.bytes) : [];
      return names.length === 0 ? undefined : names;
    },
    close: () => {
      for (const agent of web.agents.values()) agent.destroy();
    },
  };
}

/** How a cache is called: without password and query. */
export function nameOfCache(address: string): string {
  const url = address.startsWith('/') ? null : URL.parse(address);
  return url === null ? address : `${url.protocol}//${url.host}${url.pathname}`.replace(/\/+$/, '');
}

/** Undefined for what is neither a directory, a file: URL nor an http(s) URL. `env` is for proxies and for Nix. */
export function openCache(address: string, env: Web['env'], patience: Patience): CacheClient | undefined {
  if (address.startsWith('/')) return directoryClient(address);
  const base = URL.parse(address);
  if (base?.protocol === 'file:') return directoryClient(fileURLToPath(`file://${base.pathname}`));
  const isWeb = base?.protocol === 'http:' || base?.protocol === 'https:';
  return isWeb ? webClient({ base, agents: new Map(), env, patience, trust: {}, heard: 0 }) : undefined;
}
