// An http(s) URL → the text there, that there is none, or why nobody can tell; in bounded time and memory.
// A host name → its addresses, by getent(1) instead of a thread of ours that nothing can end.

import { lookup } from 'node:dns';
import type { IncomingMessage } from 'node:http';
import { isIP, type LookupFunction } from 'node:net';
import { type ServerTrust, withTrust } from './authorities.ts';
import { errnoOf, reasonOf } from './errors.ts';
import { withoutSecrets } from './output.ts';
import { proxyEnvironment } from './proxies.ts';
import { type Ended, startProgram } from './run-program.ts';

export type HttpAnswer =
  | { readonly kind: 'found'; readonly text: string }
  | { readonly kind: 'absent' }
  /** One clause. */
  | { readonly kind: 'unreachable'; readonly why: string };

export interface Limits {
  /** Milliseconds, also parts of one, for everything: names, connections, redirects and the last byte. */
  readonly timeout: number;
  /** Bytes, as sent and as unpacked. */
  readonly largest: number;
  /** For proxies (`https_proxy`, `no_proxy` ...), as proxies.ts has them; Node before 24.5 knows none. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

const MOST_REDIRECTS = 5;
const REDIRECTS = [301, 302, 303, 307, 308];
/** S3 answers 403 for what is not there to those who may not list (Nix: src/libstore/http-binary-cache-store.cc). */
const ABSENT = [403, 404, 410];

function unreachable(why: string): HttpAnswer {
  return { kind: 'unreachable', why };
}

/** The `user:password` of a URL, for Basic authentication (RFC 7617); either may be empty, as beside a token. */
export function credentialsOf({ username, password }: URL): string | undefined {
  if (username === '' && password === '') return undefined;
  return `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
}

/**
 * node:http, because loading fetch takes 50 ms more, and node:https only where it is needed (store/NOTES.md). No
 * import(): a module namespace evaluates every getter of node:http, and one of them loads fetch.
 */
function request(
  url: URL,
  auth: string | undefined,
  limits: Limits,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const { get, Agent } = process.getBuiltinModule(url.protocol === 'https:' ? 'node:https' : 'node:http');
  const agent = new Agent({ proxyEnv: proxyEnvironment(limits.env) });
  const bare = new URL(url);
  bare.username = '';
  bare.password = '';
  const headers = { accept: 'application/json', 'accept-encoding': 'gzip', 'user-agent': 'nix-run-foreign' };
  const lookup = lookupUntil(limits.timeout, limits.env['PATH'], signal);
  const options = { agent, headers, lookup, signal, ...(auth === undefined ? {} : { auth }) };
  const send = (trust: ServerTrust): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      get(bare, { ...options, ...trust }, resolve).on('error', reject);
    });
  return withTrust(limits.env, { trust: {} }, send);
}

/** The body of an answer; undefined for one that is larger than `largest` bytes. */
export async function bytesOf(response: IncomingMessage, largest: number): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > largest) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function unpacked(bytes: Buffer, largest: number): Buffer | undefined {
  const { gunzipSync } = process.getBuiltinModule('node:zlib');
  try {
    return gunzipSync(bytes, { maxOutputLength: largest });
  } catch (error) {
    if (errnoOf(error) === 'ERR_BUFFER_TOO_LARGE') return undefined;
    throw error;
  }
}

async function textOf(response: IncomingMessage, largest: number): Promise<HttpAnswer> {
  const encoding = response.headers['content-encoding'] ?? 'identity';
  if (!['identity', 'gzip', 'x-gzip'].includes(encoding))
    return unreachable('it answers in an unknown encoding');
  const sent = await bytesOf(response, largest);
  const bytes = sent === undefined || encoding === 'identity' ? sent : unpacked(sent, largest);
  if (bytes === undefined) return unreachable(`it answers with more than ${largest} bytes`);
  try {
    return { kind: 'found', text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes) };
  } catch {
    return unreachable('it answers with what is no text');
  }
}

/** Where a redirect leads; only from http(s) to http(s), and not from https to http. */
function targetOf(response: IncomingMessage, from: URL): URL | undefined {
  const target = URL.parse(response.headers.location ?? '', from.href);
  if (target === null || response.headers.location === undefined) return undefined;
  const allowed = from.protocol === 'https:' ? ['https:'] : ['http:', 'https:'];
  return allowed.includes(target.protocol) ? target : undefined;
}

async function follow(start: URL, limits: Limits, signal: AbortSignal): Promise<HttpAnswer> {
  let url = start;
  for (let redirects = 0; redirects <= MOST_REDIRECTS; redirects += 1) {
    // What a redirect leads to elsewhere gets no password, nor any that the redirect names.
    const auth = url.origin === start.origin ? credentialsOf(start) : undefined;
    const response = await request(url, auth, limits, signal);
    try {
      const status = response.statusCode ?? 0;
      if (status === 200) return await textOf(response, limits.largest);
      if (ABSENT.includes(status)) return { kind: 'absent' };
      if (!REDIRECTS.includes(status)) return unreachable(`it answers with status ${status}`);
      const target = targetOf(response, url);
      if (target === undefined) return unreachable('it redirects to another kind of address');
      url = target;
    } finally {
      response.destroy();
    }
  }
  return unreachable('it redirects without end');
}

/** One clause. `timeout`: the milliseconds after which `signal` ends it. */
export function whyUnreachable(error: unknown, signal: AbortSignal, timeout: number): string {
  const reason: unknown = signal.aborted ? signal.reason : undefined;
  if (reason instanceof Error && reason.name === 'TimeoutError') {
    return `it did not answer within ${timeout / 1000} s`;
  }
  const clauses: Record<string, string> = {
    ENOTFOUND: 'its name is unknown',
    EAI_AGAIN: 'its name cannot be looked up',
    ECONNREFUSED: 'the connection was refused',
    ECONNRESET: 'the connection was lost',
    HPE_INVALID_CONSTANT: 'it does not speak HTTP',
    ERR_PROXY_INVALID_CONFIG: 'its proxy (http_proxy, https_proxy, all_proxy) has no usable address', // Node tells the password
  };
  return clauses[errnoOf(error) ?? ''] ?? withoutSecrets(reasonOf(error));
}

/** GET, with no cookies and no cache. Never throws; `stop` ends it early, and the answer then means nothing. */
export async function webText(address: string, limits: Limits, stop: AbortSignal): Promise<HttpAnswer> {
  let signal = stop;
  try {
    // It throws for what is no whole number.
    signal = AbortSignal.any([AbortSignal.timeout(Math.ceil(limits.timeout)), stop]);
    return await follow(new URL(address), limits, signal);
  } catch (error) {
    return unreachable(whyUnreachable(error, signal, limits.timeout));
  }
}

interface Address {
  readonly address: string;
  readonly family: number;
}

/** `192.0.2.1  STREAM host` (getent(1), ahosts: as getaddrinfo(3) answers, thrice for three kinds of sockets). */
function addressesIn(output: string): Address[] {
  const found = output.split('\n').map((line) => line.split(/\s/, 1)[0] ?? '');
  return [...new Set(found)]
    .map((address) => ({ address, family: isIP(address) }))
    .filter(({ family }) => family !== 0);
}

function failureOf({ timedOut }: Ended, name: string): NodeJS.ErrnoException {
  const code = timedOut ? 'EAI_AGAIN' : 'ENOTFOUND';
  return Object.assign(new Error(`${code} ${name}`), { code });
}

/**
 * A `lookup` for node:net. Node's own asks getaddrinfo(3) in a thread, which goes on for 10 s and more where no name
 * server answers, and a process cannot exit meanwhile (store/NOTES.md). It is used where there is no getent.
 * `timeout`: milliseconds; `path`: the variable PATH.
 */
export function lookupUntil(timeout: number, path: string | undefined, stop: AbortSignal): LookupFunction {
  return (name, options, callback) => {
    const env = path === undefined ? {} : { PATH: path };
    const asking = startProgram('getent', ['ahosts', '--', name], { env, timeout });
    const end = (): void => asking.abandon();
    stop.addEventListener('abort', end, { once: true });
    void asking.finish('').then((ended) => {
      stop.removeEventListener('abort', end);
      if (ended.failure !== undefined) return void lookup(name, options, callback);
      const addresses = addressesIn(ended.stdout);
      const [first] = addresses;
      if (first === undefined) return void callback(failureOf(ended, name), '', 0);
      if (options.all === true) callback(null, [...addresses]);
      else callback(null, first.address, first.family);
    });
  };
}
