// A server's certificate that Node's own list of authorities does not vouch for → the same asked with the machine's.
import { readFileSync } from 'node:fs';
import type { SecureContext } from 'node:tls';
import { errnoOf } from './errors.ts';
import { debug } from './output.ts';
import type { Environment } from './tool-environment.ts';

/** For what https.get and the like take. */
export interface ServerTrust {
  readonly secureContext?: SecureContext;
}

/** What Nix reads where no variable names another (scripts/nix-profile.sh.in; src/libstore/filetransfer.cc). */
const FILES = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/ssl/certs/ca-bundle.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/nix/var/nix/profiles/default/etc/ssl/certs/ca-bundle.crt',
];

/** Of OpenSSL (openssl-verification-options(1)), as Node has them. */
const UNKNOWN_ISSUER = [
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
];

function firstText(files: readonly string[]): string | undefined {
  for (const file of files) {
    try {
      return readFileSync(file, 'latin1');
    } catch {} // none of this machine's
  }
  return undefined;
}

function machineTrust(env: Environment): ServerTrust | undefined {
  const named = [env['NIX_SSL_CERT_FILE'] || env['SSL_CERT_FILE'] || []].flat();
  const text = firstText([...named, ...FILES]);
  if (text === undefined) return undefined;
  const { createSecureContext, getCACertificates } = process.getBuiltinModule('node:tls');
  try {
    return { secureContext: createSecureContext({ ca: [...getCACertificates('default'), text] }) };
  } catch (error) {
    debug(`the machine's certificates: ${String(error)}`);
    return undefined;
  }
}

/**
 * Sends, and where nobody that Node knows has issued the server's certificate once more with the authorities of the
 * machine besides: to read them takes 50 ms and more. `known` keeps them for further requests.
 */
export async function withTrust<T>(
  env: Environment,
  known: { trust: ServerTrust },
  send: (trust: ServerTrust) => Promise<T>,
): Promise<T> {
  const used = known.trust;
  try {
    return await send(used);
  } catch (error) {
    const isUnknown = UNKNOWN_ISSUER.includes(errnoOf(error) ?? '') && used.secureContext === undefined;
    // Another request at the same time may have read them.
    if (isUnknown && known.trust === used) known.trust = machineTrust(env) ?? used;
    if (!isUnknown || known.trust === used) throw error;
    return await send(known.trust);
  }
}
