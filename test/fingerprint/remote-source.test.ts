// Directories and real web servers, good and bad → found, absent or unreachable, never an exception.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import {
  type Absences,
  askSources,
  type HttpAnswer,
  LARGEST,
  nameOfSource,
  pathInSource,
} from '../../src/fingerprint/remote-source.ts';
import { type Mishap, serveDirectory, type WebServer } from '../rig/web-server.ts';

const scratch = mkdtempSync(path.join(tmpdir(), 'nix-run-foreign-source-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

const sha256 = `ab${'0'.repeat(62)}`;
const TEXT = '{"it":"is ä fingerprint"}\n';

function sourceWith(name: string, text: string | Uint8Array): string {
  const directory = path.join(scratch, name);
  const file = path.join(directory, pathInSource(sha256));
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, text);
  return directory;
}

const directory = sourceWith('good', TEXT);
const empty = path.join(scratch, 'empty');
mkdirSync(empty);

/** No test waits for it, but where it says so. */
const LONG = 60_000;

interface Options {
  readonly timeout?: number;
  readonly absences?: Absences;
  readonly sha256?: string;
}

async function answers(sources: readonly string[], options: Options = {}): Promise<HttpAnswer[]> {
  const question = {
    sha256: options.sha256 ?? sha256,
    limits: { timeout: options.timeout ?? LONG, largest: LARGEST, env: {} },
    absences: options.absences,
  };
  const all: HttpAnswer[] = [];
  for await (const { answer } of askSources(sources, question)) all.push(answer);
  return all;
}

async function answer(source: string, options: Options = {}): Promise<HttpAnswer> {
  const [first] = await answers([source], options);
  return first ?? assert.fail('no answer');
}

async function serve(mishap?: Mishap, from = directory): Promise<WebServer> {
  const server = await serveDirectory(from, mishap);
  after(() => server.close());
  return server;
}

/** What is said of a server that answers like this. */
async function whyFrom(mishap: Mishap, options: Options = {}): Promise<string> {
  const { url } = await serve(mishap);
  const got = await answer(url, options);
  assert.equal(got.kind, 'unreachable', JSON.stringify(got));
  return got.kind === 'unreachable' ? got.why : '';
}

const found: HttpAnswer = { kind: 'found', text: TEXT };
const absent: HttpAnswer = { kind: 'absent' };

test('a directory has it or not', async () => {
  assert.deepEqual(await answer(directory), found);
  assert.deepEqual(await answer(`${directory}/`), found);
  assert.deepEqual(await answer(empty), absent);
  assert.deepEqual(await answer(path.join(scratch, 'nowhere')), absent);
  assert.deepEqual(await answer(directory, { sha256: '../../../etc/passwd' }), absent);
});

test('a byte order mark stays, so that the text is refused as no document', async () => {
  const marked = sourceWith('marked', `\ufeff${TEXT}`);
  const server = await serve(undefined, marked);
  for (const source of [marked, server.url])
    assert.deepEqual(await answer(source), { kind: 'found', text: `\ufeff${TEXT}` });
});

test('a link in a directory is followed', async () => {
  const linked = path.join(scratch, 'linked');
  const file = path.join(linked, pathInSource(sha256));
  mkdirSync(path.dirname(file), { recursive: true });
  symlinkSync(path.join(directory, pathInSource(sha256)), file);
  assert.deepEqual(await answer(linked), found);
});

test('what is no readable text in a directory is unreachable', async () => {
  const large = await answer(sourceWith('large', 'x'.repeat(LARGEST + 1)));
  assert.match(large.kind === 'unreachable' ? large.why : '', /has more than 1048576 bytes$/);
  assert.equal((await answer(sourceWith('largest', 'x'.repeat(LARGEST)))).kind, 'found');
  const binary = await answer(sourceWith('binary', Uint8Array.of(0x7b, 0xff)));
  assert.match(binary.kind === 'unreachable' ? binary.why : '', /it is no text$/);
  const fifo = path.join(scratch, 'fifo', pathInSource(sha256));
  mkdirSync(path.dirname(fifo), { recursive: true });
  execFileSync('mkfifo', [fifo]);
  const held = await answer(path.join(scratch, 'fifo'));
  assert.match(held.kind === 'unreachable' ? held.why : '', /is no file$/);
});

test('a web server has it or not', async () => {
  const server = await serve();
  assert.deepEqual(await answer(server.url), found);
  assert.deepEqual(await answer(`${server.url}/`), found);
  assert.deepEqual(await answer(server.url, { sha256: 'c'.repeat(64) }), absent);
  assert.deepEqual(server.requests.slice(0, 2), [
    `GET /${pathInSource(sha256)}`,
    `GET /${pathInSource(sha256)}`,
  ]);
  for (const status of [403, 404, 410]) {
    const lacking = await serve((_, response) => {
      response.writeHead(status);
      response.end('<html>');
      return true;
    });
    assert.deepEqual(await answer(lacking.url), absent);
  }
});

test('path and query of the URL stay', async () => {
  const server = await serve(undefined, scratch);
  assert.deepEqual(await answer(`${server.url}/good/?token=x%20y#z`), found);
  assert.deepEqual(server.requests, [`GET /good/${pathInSource(sha256)}?token=x%20y`]);
});

test('a packed answer is unpacked, up to the limit', async () => {
  const packed =
    (bytes: Buffer): Mishap =>
    (request, response) => {
      assert.equal(request.headers['accept-encoding'], 'gzip');
      response.writeHead(200, { 'content-encoding': 'gzip' });
      response.end(bytes);
      return true;
    };
  assert.deepEqual(await answer((await serve(packed(gzipSync(TEXT)))).url), found);
  const bomb = gzipSync(Buffer.alloc(100 << 20));
  assert.ok(bomb.length < LARGEST);
  assert.equal(await whyFrom(packed(bomb)), 'it answers with more than 1048576 bytes');
  assert.equal(await whyFrom(packed(Buffer.from('no gzip'))), 'incorrect header check');
  assert.equal(await whyFrom(packed(gzipSync(TEXT).subarray(0, 20))), 'unexpected end of file');
});

test('an endless answer ends at the limit', async () => {
  const endless: Mishap = (_, response) => {
    response.writeHead(200);
    const more = (): void => {
      while (!response.destroyed && response.write(Buffer.alloc(65536, 0x20)));
    };
    response.on('drain', more);
    more();
    return true;
  };
  assert.equal(await whyFrom(endless), 'it answers with more than 1048576 bytes');
});

test('answers that are none are told', async () => {
  const status =
    (code: number, headers = {}): Mishap =>
    (_, response) => {
      response.writeHead(code, headers);
      response.end('x');
      return true;
    };
  assert.equal(await whyFrom(status(500)), 'it answers with status 500');
  assert.equal(await whyFrom(status(401)), 'it answers with status 401');
  assert.equal(await whyFrom(status(200, { 'content-encoding': 'br' })), 'it answers in an unknown encoding');
  assert.equal(
    await whyFrom(status(302, { location: 'file:///etc/passwd' })),
    'it redirects to another kind of address',
  );
  assert.equal(await whyFrom(status(302)), 'it redirects to another kind of address');
  assert.equal(await whyFrom(status(302, { location: '/again' })), 'it redirects without end');
  const binary: Mishap = (_, response) => {
    response.end(Buffer.of(0xff));
    return true;
  };
  assert.equal(await whyFrom(binary), 'it answers with what is no text');
});

test('a server that says nothing, goes on for ever, breaks off, or is none', async () => {
  const silent: Mishap = () => true;
  assert.equal(await whyFrom(silent, { timeout: 100 }), 'it did not answer within 0.1 s');
  for (const seconds of [0.2001, 0.1013, 0.00001])
    assert.equal(
      await whyFrom(silent, { timeout: seconds * 1000 }),
      `it did not answer within ${seconds} s`,
      'settings allow parts of a millisecond',
    );
  assert.match(await whyFrom(silent, { timeout: Number.NaN }), /delay/, 'never an exception');
  const slow: Mishap = (_, response) => {
    response.writeHead(200);
    response.write('{');
    return true;
  };
  assert.equal(await whyFrom(slow, { timeout: 100 }), 'it did not answer within 0.1 s');
  const short: Mishap = (_, response) => {
    response.writeHead(200, { 'content-length': 100 });
    response.write('{');
    setImmediate(() => response.destroy());
    return true;
  };
  assert.match(await whyFrom(short), /^(?:the connection was lost|aborted)$/);
  const lost: Mishap = (request) => {
    request.socket.destroy();
    return true;
  };
  assert.equal(await whyFrom(lost), 'the connection was lost');
  const gone = await serveDirectory(directory);
  await gone.close();
  assert.deepEqual(await answer(gone.url), { kind: 'unreachable', why: 'the connection was refused' });
  const chatter = createServer((socket) => socket.end('SSH-2.0-hello\r\n'));
  await new Promise<void>((resolve) => chatter.listen(0, '127.0.0.1', resolve));
  const address = chatter.address();
  const port = typeof address === 'object' ? address?.port : 0;
  const spoken = await answer(`http://127.0.0.1:${port}`);
  chatter.close();
  assert.deepEqual(spoken, { kind: 'unreachable', why: 'it does not speak HTTP' });
});

test('a password goes to the server it is for, not where that one redirects to', async () => {
  const seen: (string | undefined)[] = [];
  const watch: Mishap = (request) => {
    seen.push(request.headers.authorization);
    return false;
  };
  const other = await serve(watch);
  const first = await serve((request, response) => {
    seen.push(request.headers.authorization);
    const location = request.url?.startsWith('/here')
      ? `/there${request.url.slice(5)}`
      : `${other.url.replace('://', '://thief:x@')}${request.url?.slice(6)}`;
    response.writeHead(302, { location });
    response.end();
    return true;
  });
  const source = `${first.url.replace('://', '://user:pass%20word@')}/here`;
  assert.deepEqual(await answer(source), found);
  const basic = `Basic ${Buffer.from('user:pass word').toString('base64')}`;
  assert.deepEqual(seen, [basic, basic, undefined]);
  await answer(first.url.replace('://', '://:token@'));
  assert.equal(seen[3], `Basic ${Buffer.from(':token').toString('base64')}`, 'a token without a user');
  assert.equal(nameOfSource(`${source}?secret=1`), `${first.url}/here`);
  assert.equal(nameOfSource('/srv/a'), '/srv/a');
});

test('an absent answer is remembered for the day, for that program and that source', async () => {
  const absences = (day: string): Absences => ({ directory: path.join(scratch, 'absences'), day });
  const server = await serve(undefined, empty);
  const other = await serve(undefined, empty);
  for (let i = 0; i < 3; i += 1)
    assert.deepEqual(await answer(server.url, { absences: absences('2024-02-28') }), absent);
  assert.equal(server.requests.length, 1);
  await answer(server.url, { absences: absences('2024-02-28'), sha256: 'd'.repeat(64) });
  assert.equal(server.requests.length, 2);
  await answer(other.url, { absences: absences('2024-02-28') });
  assert.equal(other.requests.length, 1);
  await answer(server.url, { absences: absences('2024-02-29') });
  assert.equal(server.requests.length, 3);
  assert.deepEqual(readdirSync(path.join(scratch, 'absences')), ['2024-02-29'], 'yesterday is swept away');
  await answer(server.url);
  assert.equal(server.requests.length, 4, 'without absences everything is asked again');
});

test('what is found or unreachable is not remembered, and a place that cannot be written does no harm', async () => {
  const absences: Absences = { directory: path.join(scratch, 'no-absences'), day: '2024-02-28' };
  const server = await serve();
  assert.deepEqual(await answers([server.url, server.url], { absences }), [found, found]);
  const failing = await serve((_, response) => {
    response.writeHead(503);
    response.end();
    return true;
  });
  for (let i = 0; i < 2; i += 1) assert.equal((await answer(failing.url, { absences })).kind, 'unreachable');
  assert.equal(failing.requests.length, 2);
  const file = path.join(scratch, 'file');
  writeFileSync(file, '');
  chmodSync(file, 0o400);
  const lacking = await serve(undefined, empty);
  assert.deepEqual(await answer(lacking.url, { absences: { ...absences, directory: file } }), absent);
});

test('sources are asked at the same time and answer in their order; the rest is given up after the right one', async () => {
  let release = (): void => {};
  const first = await serve((_, response) => {
    release = () => response.writeHead(404).end();
    return true;
  });
  // The second is asked while the first is silent, and has the first answer.
  const second = await serve(() => {
    release();
    return false;
  });
  let gone: (() => void) | undefined;
  const givenUp = new Promise<void>((resolve) => {
    gone = resolve;
  });
  const third = await serve((request) => {
    request.socket.on('close', () => gone?.());
    return true;
  });
  const question = { sha256, limits: { timeout: LONG, largest: LARGEST, env: {} }, absences: undefined };
  const seen: string[] = [];
  for await (const asked of askSources([first.url, second.url, third.url], question)) {
    seen.push(`${asked.source} ${asked.answer.kind}`);
    if (asked.answer.kind === 'found') break;
  }
  assert.deepEqual(seen, [`${first.url} absent`, `${second.url} found`]);
  await givenUp;
});

test('names are looked up as the machine does, with and without getent', async () => {
  const { url } = await serve();
  const named = url.replace('127.0.0.1', 'localhost');
  const ask = async (source: string, env: Record<string, string>): Promise<HttpAnswer> => {
    const limits = { timeout: LONG, largest: LARGEST, env };
    for await (const asked of askSources([source], { sha256, limits, absences: undefined }))
      return asked.answer;
    return assert.fail('no answer');
  };
  assert.deepEqual(await ask(named, {}), found);
  assert.deepEqual(await ask(named, { PATH: scratch }), found);
  const unknown: HttpAnswer = { kind: 'unreachable', why: 'its name is unknown' };
  assert.deepEqual(await ask('http://no_such_host.invalid', {}), unknown);
});

test('a proxy is used where the environment names one, and not for what it excepts', async () => {
  const proxy = await serve((_, response) => {
    response.end(TEXT);
    return true;
  });
  const ask = async (env: Record<string, string>): Promise<HttpAnswer> => {
    const limits = { timeout: LONG, largest: LARGEST, env };
    const sources = ['http://no_such_host.invalid'];
    for await (const asked of askSources(sources, { sha256, limits, absences: undefined }))
      return asked.answer;
    return assert.fail('no answer');
  };
  assert.deepEqual(await ask({ http_proxy: proxy.url }), found);
  assert.deepEqual(proxy.requests, [`GET http://no_such_host.invalid/${pathInSource(sha256)}`]);
  assert.equal((await ask({ http_proxy: proxy.url, no_proxy: '.invalid' })).kind, 'unreachable');
});

test('a name server that never answers holds up nobody, not even the end of the process', () => {
  const bin = path.join(scratch, 'bin');
  mkdirSync(bin);
  const started = path.join(scratch, 'getent-started');
  writeFileSync(path.join(bin, 'getent'), `#!/bin/sh\n: > ${started}\nexec /bin/sleep 1000\n`, {
    mode: 0o755,
  });
  const module = JSON.stringify(path.resolve(import.meta.dirname, '../../src/fingerprint/remote-source.ts'));
  const script = `const { askSources } = await import(${module});
    const limits = { timeout: 200, largest: 9, env: { PATH: '${bin}' } };
    const sources = ['http://silent.example'];
    for await (const { answer } of askSources(sources, { sha256: '${sha256}', limits })) console.log(answer.why);`;
  const args = ['--input-type=module', '-e', script];
  const why = execFileSync(process.execPath, args, { encoding: 'utf8', timeout: 60_000 });
  assert.match(why, /^(?:it did not answer within 0\.2 s|its name cannot be looked up)\n$/);
  assert.ok(existsSync(started));
});

test('fetching loads neither https nor fetch for a plain address, and nothing for a directory', () => {
  const module = JSON.stringify(path.resolve(import.meta.dirname, '../../src/fingerprint/remote-source.ts'));
  const script = `const { askSources } = await import(${module});
    const limits = { timeout: 1000, largest: 9, env: {} };
    for await (const each of askSources([process.argv[1]], { sha256: '${sha256}', limits })) void each;
    console.log(process.moduleLoadList.filter((each) => /NativeModule (https?|internal.deps.undici.*)$/.test(each)).join());`;
  const loads = (source: string): string =>
    execFileSync(process.execPath, ['--input-type=module', '-e', script, source], {
      encoding: 'utf8',
    }).trim();
  assert.equal(loads(directory), '');
  assert.equal(loads('http://127.0.0.1:1'), 'NativeModule http');
});
