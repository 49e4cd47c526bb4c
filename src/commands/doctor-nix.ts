// Nix on this machine → whether it can be asked about its store, which everything that pins does.
import { existsSync } from 'node:fs';
import path from 'node:path';
import { reasonOf } from '../errors.ts';
import type { Context } from '../pipeline/context.ts';
import { invalidPaths, type Nix, nixVersion } from '../store/nix-commands.ts';
import { storeLocation } from '../store/store-location.ts';

/** One finding. */
export interface Check {
  readonly subject: string;
  readonly state: 'ok' | 'note' | 'lack';
  readonly detail: string;
  /** What to do; absent when all is well. */
  readonly remedy?: string;
}

const CONSEQUENCE = 'without it programs start, but nothing protects their libraries from collection';

/** Why Nix cannot be asked. Started without a store or a database it would make them, so then it is not started. */
async function whyNotAnswering(nix: Nix): Promise<string | undefined> {
  const { storeDir, stateDir } = storeLocation(nix.env);
  const isElsewhere = !['', 'auto', 'local'].includes(nix.env['NIX_REMOTE'] ?? '');
  if (!existsSync(storeDir)) return `${storeDir} is not there`;
  const hasState = ['db/db.sqlite', 'daemon-socket'].some((each) => existsSync(path.join(stateDir, each)));
  if (!hasState && !isElsewhere) return `${stateDir} holds no database of Nix`;
  try {
    // A path that no store holds: the answer needs the database or the daemon, and changes neither.
    await invalidPaths(nix, [path.join(storeDir, `${'0'.repeat(32)}-nix-foreign-doctor`)]);
    return undefined;
  } catch (error) {
    return reasonOf(error);
  }
}

/** Runs Nix, and asks its store something harmless. */
export async function checkNix({ nix }: Pick<Context, 'nix'>): Promise<Check> {
  const lack = (detail: string, remedy: string): Check => ({ subject: 'nix', state: 'lack', detail, remedy });
  if (nix === undefined)
    return lack('no nix-store on PATH or where it usually is', `put Nix on PATH; ${CONSEQUENCE}`);
  const version = await nixVersion(nix);
  if (version === undefined) return lack(`${nix.bin}/nix-store cannot be run`, `repair it; ${CONSEQUENCE}`);
  const detail = `${version} in ${nix.bin}`;
  const why = await whyNotAnswering(nix);
  if (why === undefined) return { subject: 'nix', state: 'ok', detail };
  return lack(
    `${detail}, but ${why}`,
    `start the Nix daemon (systemctl start nix-daemon), or repair the store; ${CONSEQUENCE}`,
  );
}
