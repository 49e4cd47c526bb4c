// A machine that can start jq → its libraries in a signed cache, its signed fingerprint in a directory, its sidecar.
import { readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { type Exchange, type KeyPair, makeKeyPair } from '../../rig/binary-cache.ts';
import { type Machine, manage, SIDECAR } from './machines.ts';

/** What lies in the exchange afterwards. */
export interface Published {
  /** Signs fingerprints. */
  readonly key: KeyPair;
  /** Signs the libraries of the cache. */
  readonly cacheKey: KeyPair;
  /** The text of the document beside jq, without signature. */
  readonly sidecar: string;
  /** `file://` URL of the cache `cache` in the exchange. */
  readonly cache: string;
  /** The directory `fingerprints` in the exchange, as a path of the roots. */
  readonly source: string;
  readonly sha256: string;
  /** Store paths of the libraries, without libc. */
  readonly libraries: readonly string[];
}

export async function publishJq(maker: Machine, exchange: Exchange): Promise<Published> {
  const key = await makeKeyPair(maker, exchange, 'fingerprints-1');
  const cacheKey = await makeKeyPair(maker, exchange, 'cache-1');
  const cache = `file://${exchange.inRoot}/cache`;
  const source = `${exchange.inRoot}/fingerprints`;
  const store = `${cache}?compression=none&secret-key=${cacheKey.secretFile}`;
  const { program } = maker;
  await manage(maker, ['publish', program, '--to', store, '--fingerprints', source, '--key', key.secretFile]);
  await manage(maker, ['fingerprint', 'export', program]);
  const file = path.join(maker.homeDir, SIDECAR);
  const sidecar = readFileSync(file, 'utf8');
  rmSync(file);
  const { libraries, program: identity } = JSON.parse(sidecar);
  const paths = (libraries as { storePath: string }[]).map(({ storePath }) => storePath);
  return { key, cacheKey, sidecar, cache, source, sha256: identity.sha256, libraries: paths };
}
