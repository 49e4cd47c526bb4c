// What a hostile situation is: something to judge, and the cause and the line it has to be refused with.

import { canonicalText } from '../../src/fingerprint/fingerprint.ts';
import { type FingerprintOrigin, judgeTrust } from '../../src/fingerprint/trust.ts';
import { good, STORE, secretKey } from './documents.ts';

export interface Verdict {
  readonly cause: string;
  readonly why: string;
}

export interface Situation {
  readonly cause: string;
  readonly line: RegExp;
  readonly judge: () => Promise<Verdict>;
}

export const TRUSTED: Verdict = { cause: 'trusted', why: '' };

export const vendor = secretKey('vendor-1', 1);
export const mallory = secretKey('mallory-1', 2);
export const trust = { storeDir: STORE, keys: [vendor.public] };
export const text = canonicalText(good);

export const trusted: FingerprintOrigin = { kind: 'sidecar', writers: { kind: 'trusted' } };
export const source: FingerprintOrigin = { kind: 'source' };

export async function verdictOf(document: string, origin: FingerprintOrigin = trusted): Promise<Verdict> {
  const verdict = await judgeTrust(document, origin, good.program, trust);
  return verdict.kind === 'refused' ? verdict : TRUSTED;
}
