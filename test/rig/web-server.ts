// A directory → a real HTTP server on loopback that serves it, with the mishaps a test asks for.
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { join, normalize } from 'node:path';

/** Answers a request itself, and returns true; or leaves it to the server. */
export type Mishap = (request: IncomingMessage, response: ServerResponse) => boolean;

export interface WebServer {
  /** `http://127.0.0.1:PORT`. */
  readonly url: string;
  /** What was asked for, in order: `GET /nix-cache-info`. */
  readonly requests: readonly string[];
  close(): Promise<void>;
}

function serveFile(directory: string, request: IncomingMessage, response: ServerResponse): void {
  const { pathname } = new URL(request.url ?? '/', 'http://localhost');
  try {
    const bytes = readFileSync(join(directory, normalize(decodeURIComponent(pathname))));
    response.writeHead(200, { 'content-length': bytes.length });
    response.end(request.method === 'HEAD' ? undefined : bytes);
  } catch {
    response.writeHead(404);
    response.end();
  }
}

/** Serves a directory until `close`; it does not keep the process alive. */
export async function serveDirectory(directory: string, mishap: Mishap = () => false): Promise<WebServer> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    if (!mishap(request, response)) serveFile(directory, request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  server.unref();
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    requests,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
