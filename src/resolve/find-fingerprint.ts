// A program without a saved fingerprint → those that came with it or lie in a source, trusted or not, one by one.
import { lstatSync } from 'node:fs';
import path from 'node:path';
import type { Configuration } from '../config/load-config.ts';
import type { Fingerprint } from '../fingerprint/fingerprint.ts';
import { sidecarLocations } from '../fingerprint/sidecar.ts';
import type { Owners, ProgramIdentity, Trust } from '../fingerprint/trust.ts';
import { isThere } from '../host/files.ts';
import { debug } from '../host/output.ts';
import type { Job } from './job.ts';

export type FoundFingerprint =
  | {
      readonly kind: 'trusted';
      /** A file or an address. */
      readonly where: string;
      readonly fingerprint: Fingerprint;
      /** The trusted key, where a signature was needed. */
      readonly signedBy?: string;
    }
  | { readonly kind: 'refused'; readonly where: string; readonly why: string }
  /** A source that could not be asked, so nobody knows whether it has one. */
  | { readonly kind: 'unreachable'; readonly where: string; readonly why: string };

/** A document that may be used as it is. */
export type TrustedFound = Extract<FoundFingerprint, { kind: 'trusted' }>;

/** What is looked for, and what is known before anything is opened. */
export interface FingerprintSearch extends Job {
  /** What a fingerprint must say of its program. */
  readonly identity: ProgramIdentity;
  /** With what was said on the command line. */
  readonly settings: Configuration['settings'];
  /** A command that fetches in spite of them, as FetchPolicy has it. */
  readonly allow?: string;
}

/** The keys of the configuration, which were checked when it was read. */
export async function trustOf({
  context,
  settings,
}: Pick<FingerprintSearch, 'context' | 'settings'>): Promise<Trust> {
  const { parsePublicKey } = await import('../fingerprint/signature.ts');
  const keys = settings['trusted-fingerprint-keys'].map(parsePublicKey);
  return {
    storeDir: context.location.storeDir,
    keys: keys.flatMap((each) => (each.kind === 'key' ? [each.key] : [])),
  };
}

/** Who is trusted besides root: the program's owner only at a start (fingerprint/FORMAT.md). */
export function ownersFor({ program, context }: Pick<FingerprintSearch, 'program' | 'context'>): Owners {
  const owner = context.isStart === true ? lstatSync(program.path).uid : undefined;
  return { user: context.host.uid, program: owner };
}

/** Beside the real file, beside the link it was found by, then in tree files above it. */
async function* besideIt(search: FingerprintSearch): AsyncGenerator<FoundFingerprint> {
  const { program, identity, context } = search;
  // The launcher starts us in `/`, and the user may have named the program by a relative path.
  const start = context.host.workingDirectory ?? '/';
  const typedName = path.resolve(start, context.found ?? program.typedName);
  const there = sidecarLocations(typedName, program.path).filter(({ file }) => isThere(file));
  if (there.length === 0) return;
  const { findSidecar } = await import('../fingerprint/sidecar.ts');
  const trust = await trustOf(search);
  for (const each of there) {
    const { trusted, refused } = await findSidecar([each], identity, ownersFor(search), trust);
    const [wrong] = refused;
    if (wrong !== undefined) yield { kind: 'refused', where: each.file, why: wrong.why };
    if (trusted === undefined) continue;
    const { fingerprint, signedBy } = trusted;
    yield {
      kind: 'trusted',
      where: each.file,
      fingerprint,
      ...(signedBy === undefined ? {} : { signedBy }),
    };
  }
}

/** The sources of the configuration, in its order; `due`: those that did not say today that they have none. */
export async function* fromSources(
  search: FingerprintSearch,
  which: 'due' | 'all',
): AsyncGenerator<FoundFingerprint> {
  const { identity, settings, dirs, context } = search;
  if (settings.sources.length === 0) return;
  const { askSources, dayOf, LARGEST, nameOfSource, pathInSource } = await import(
    '../fingerprint/remote-source.ts'
  );
  const { judgeTrust } = await import('../fingerprint/trust.ts');
  const trust = await trustOf(search);
  const absences = { directory: path.join(dirs.cache, 'absent-from-sources'), day: dayOf(new Date()) };
  const timeout = settings['source-timeout'] * 1000;
  const limits = { timeout, largest: LARGEST, env: context.env };
  const question = { sha256: identity.sha256, limits, absences: which === 'due' ? absences : undefined };
  for await (const { source, answer } of askSources(settings.sources, question)) {
    const name = nameOfSource(source);
    debug(`source ${name}: ${answer.kind}`);
    if (answer.kind === 'unreachable') yield { kind: 'unreachable', where: name, why: answer.why };
    if (answer.kind !== 'found') continue;
    const where = `${name.replace(/\/+$/, '')}/${pathInSource(identity.sha256)}`;
    const verdict = await judgeTrust(answer.text, { kind: 'source' }, identity, trust);
    yield { ...verdict, where };
  }
}

/** In the order of trust: what came with the program, then the sources. Each is opened when it is its turn. */
export async function* findFingerprints(search: FingerprintSearch): AsyncGenerator<FoundFingerprint> {
  yield* besideIt(search);
  yield* fromSources(search, 'due');
}
