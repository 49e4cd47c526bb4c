// A NAR with its references → a store object that Nix knows them of, and its indirect GC root, in one request.

import { accessSync, constants, existsSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import path from 'node:path';
import { replaceLink } from '../host/atomic-file.ts';
import { reasonOf } from '../host/errors.ts';
import { makeDirectories } from '../host/files.ts';
import { debug } from '../host/output.ts';
import { runOnBytes } from '../host/run-program.ts';
import { linesOf, type Nix, TIMEOUT } from './nix.ts';
import { packString } from './nix-archive.ts';
import { readRoot, setRootBack } from './root-link.ts';
import { spareFromCollector } from './spare-from-collector.ts';
import { storeLocation } from './store-location.ts';

interface NewObject {
  readonly name: string;
  readonly nar: Uint8Array;
  /** Valid store paths. */
  readonly references: readonly string[];
  /** What Nix will call it (fixed-path.ts). */
  readonly storePath: string;
}

type Added =
  | { readonly kind: 'added' }
  /** `why`: one clause. */
  | { readonly kind: 'refused'; readonly why: string };

/** Words of the worker protocol (Nix: src/libstore/worker-protocol.hh). */
const CLIENT_MAGIC = 0x6e697863;
const SERVER_MAGIC = 0x6478696f;
/** 1.25, the oldest that adds an object with references from a stream (Nix 2.4); newer daemons speak it. */
const VERSION = (1 << 8) | 25;
const ADD_TO_STORE = 7;
const ADD_INDIRECT_ROOT = 12;
const STDERR_LAST = 0x616c7473;
const STDERR_ERROR = 0x63787470;
const STDERR_NEXT = 0x6f6c6d67;
const STDERR_START_ACTIVITY = 0x53545254;
const STDERR_STOP_ACTIVITY = 0x53544f50;
const STDERR_RESULT = 0x52534c54;

function packNumber(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}

const packStrings = (texts: readonly string[]): Buffer =>
  Buffer.concat([packNumber(texts.length), ...texts.map(packString)]);

/** The whole conversation, since nothing of what is said depends on the answers. */
function requestFor({ name, nar, references }: NewObject, root: string): Buffer {
  return Buffer.concat([
    ...[CLIENT_MAGIC, VERSION, 0, 0].map(packNumber), // no CPU affinity, no reserved space
    packNumber(ADD_TO_STORE),
    packString(name),
    packString('fixed:r:sha256'),
    packStrings([...references].sort()),
    packNumber(0), // no repair
    packNumber(nar.length), // one frame, and the end
    nar,
    packNumber(0),
    packNumber(ADD_INDIRECT_ROOT),
    packString(root),
  ]);
}

/** What the daemon said, word by word. */
interface DaemonAnswers {
  number(): number;
  text(): string;
}

/** Its words; RangeError where they end too early. */
function answersIn(bytes: Buffer): DaemonAnswers {
  let at = 0;
  const number = (): number => {
    const value = Number(bytes.readBigUInt64LE(at));
    at += 8;
    return value;
  };
  return {
    number,
    text: () => {
      const length = number();
      if (!(at + length <= bytes.length)) throw new RangeError('the answer is cut off');
      const text = bytes.toString('utf8', at, at + length);
      at += Math.ceil(length / 8) * 8;
      return text;
    },
  };
}

function skipFields({ number, text }: DaemonAnswers): void {
  for (let left = number(); left > 0; left -= 1) {
    if (number() === 0) number();
    else text();
  }
}

/** Up to the end of one request's messages. @returns what went wrong, as Nix says it. */
function complaintIn(answers: DaemonAnswers): string | undefined {
  const { number, text } = answers;
  for (;;) {
    switch (number()) {
      case STDERR_LAST:
        return undefined;
      case STDERR_ERROR:
        return text();
      case STDERR_NEXT:
        text();
        break;
      case STDERR_START_ACTIVITY:
        for (let left = 3; left > 0; left -= 1) number();
        text();
        skipFields(answers);
        number();
        break;
      case STDERR_STOP_ACTIVITY:
        number();
        break;
      case STDERR_RESULT:
        number();
        number();
        skipFields(answers);
        break;
      default:
        throw new RangeError('the answer cannot be understood');
    }
  }
}

function skipPathInfo({ number, text }: DaemonAnswers): void {
  for (let left = 2; left > 0; left -= 1) text(); // deriver, hash
  for (let left = number(); left > 0; left -= 1) text();
  for (let left = 3; left > 0; left -= 1) number(); // time, size, ultimate
  for (let left = number(); left > 0; left -= 1) text();
  text();
}

/** @throws RangeError for what is no answer. */
function readAnswers(answers: DaemonAnswers, storePath: string): string | undefined {
  if (answers.number() !== SERVER_MAGIC) throw new RangeError('what answers is no Nix');
  if (answers.number() < VERSION) return 'it is older than 2.4';
  const complaint = complaintIn(answers) ?? complaintIn(answers);
  if (complaint !== undefined) return complaint;
  const added = answers.text();
  if (added !== storePath) return `it calls the object ${added}`;
  skipPathInfo(answers);
  return complaintIn(answers);
}

/** What a store that this process may write itself answers: then `nix-daemon --stdio` is the store (nix-daemon(8)). */
function askDirectly(nix: Nix, request: Buffer): Heard {
  const command = path.join(nix.bin, 'nix-daemon');
  const { status, stdout, stderr, failure } = runOnBytes(command, ['--stdio'], request, {
    env: nix.env,
    timeout: TIMEOUT,
  });
  debug(`nix-daemon --stdio: ${status ?? failure ?? 'killed'}`);
  const said = stderr.trim().split('\n').at(-1) ?? '';
  return {
    bytes: stdout,
    said: failure === undefined ? said : `nix-daemon could not be started (${failure})`,
  };
}

interface Heard {
  readonly bytes: Buffer;
  /** What it said beside that. */
  readonly said: string;
}

/**
 * The daemon itself. `nix-daemon --stdio` would pass on what it reads by splice(2), which takes none of Node's
 * pipes: they are sockets.
 */
function askDaemon(socket: string, request: Buffer): Promise<Heard> {
  return new Promise((resolve) => {
    const parts: Buffer[] = [];
    const connection = connect(socket);
    const end = (said: string) => {
      connection.destroy();
      resolve({ bytes: Buffer.concat(parts), said });
    };
    connection.setTimeout(TIMEOUT, () => end('the daemon does not answer'));
    connection.on('data', (part) => parts.push(part));
    connection.on('error', (error) => end(`the daemon cannot be reached: ${reasonOf(error)}`));
    connection.on('end', () => end(''));
    connection.end(request);
  });
}

function mayWrite(directory: string): boolean {
  try {
    accessSync(directory, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** As Nix decides itself (store "auto"): the store where it can be written, else the daemon; or as NIX_REMOTE says. */
function ask(nix: Nix, request: Buffer): Promise<Heard> | Heard {
  const { stateDir } = storeLocation(nix.env);
  const { NIX_REMOTE: remote = '', NIX_DAEMON_SOCKET_PATH: usual } = nix.env;
  const named = /^unix:\/\/(\/[^?]*)/.exec(remote)?.[1];
  const socket = named ?? usual ?? path.join(stateDir, 'daemon-socket/socket');
  const isSaid = remote === 'daemon' || remote.startsWith('unix://');
  const isDaemon = isSaid || !mayWrite(path.join(stateDir, 'db'));
  return isDaemon && existsSync(socket) ? askDaemon(socket, request) : askDirectly(nix, request);
}

async function askNix(nix: Nix, request: Buffer, storePath: string): Promise<string | undefined> {
  const { bytes, said } = await ask(nix, request);
  try {
    return readAnswers(answersIn(bytes), storePath);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return said || error.message;
  }
}

/**
 * Adds the object and makes `root` its indirect root, over one connection, which holds the object until the root is
 * known.
 * @throws Node's errors when the root's directory cannot be written.
 */
export async function addObject(nix: Nix, object: NewObject, root: string): Promise<Added> {
  makeDirectories(path.dirname(root));
  const before = readRoot(root);
  replaceLink(root, object.storePath);
  const why = await askNix(nix, requestFor(object, root), object.storePath);
  if (why === undefined) await spareFromCollector(nix, [object.storePath]);
  if (why === undefined && existsSync(object.storePath)) return { kind: 'added' };
  if (before === undefined) rmSync(root, { force: true });
  else await setRootBack(nix, root, before);
  const [first = ''] = linesOf(why ?? 'it is not there afterwards');
  return { kind: 'refused', why: first };
}
