// A program without a record → fingerprints that came with it or lie in a source, believed or not, one after the other.
import { lstatSync } from 'node:fs';
import path from 'node:path';
import type { Configuration } from '../config/load-config.ts';
import type { Fingerprint } from '../fingerprint/fingerprint.ts';
import type { RootAdders } from '../fingerprint/save-and-pin.ts';
import { sidecarPlaces } from '../fingerprint/sidecar.ts';
import type { Owners, ProgramAtHand, Trust } from '../fingerprint/trust.ts';
import type { Place } from '../host/directories.ts';
import { debug } from '../host/output.ts';
import type { Context } from './context.ts';
import type { Dynamic } from './dynamic-program.ts';

export type FoundFingerprint =
  | {
      readonly kind: 'believed';
      /** A file or an address. */
      readonly where: string;
      readonly fingerprint: Fingerprint;
      /** The trusted key, where a signature was needed. */
      readonly signedBy?: string;
    }
  | { readonly kind: 'refused'; readonly where: string; readonly why: string }
  /** A source that could not be asked, so nobody knows whether it has one. */
  | { readonly kind: 'unreachable'; readonly where: string; readonly why: string };

/** What is looked for, and what is known before anything is opened. */
export interface Search {
  readonly subject: Dynamic;
  readonly program: ProgramAtHand;
  readonly context: Context;
  readonly place: Place;
  readonly settings: Configuration['settings'];
  /** Of Nix processes that pin the program's root. */
  readonly rootAdders: RootAdders;
}

function isThere(file: string): boolean {
  try {
    return lstatSync(file, { throwIfNoEntry: false }) !== undefined;
  } catch {
    return false;
  }
}

/** The keys of the configuration, which were checked when it was read. */
export async function trustOf({ context, settings }: Pick<Search, 'context' | 'settings'>): Promise<Trust> {
  const { parsePublicKey } = await import('../fingerprint/signature.ts');
  const keys = settings['trusted-fingerprint-keys'].map(parsePublicKey);
  return {
    storeDir: context.location.storeDir,
    keys: keys.flatMap((each) => (each.kind === 'key' ? [each.key] : [])),
  };
}

/** Who is believed besides root: the program's owner only at a start (fingerprint/FORMAT.md). */
export function ownersFor({ subject, context }: Pick<Search, 'subject' | 'context'>): Owners {
  const program = context.isStart === true ? lstatSync(subject.program.path).uid : undefined;
  return { user: context.host.uid, program };
}

/** Beside the real file, beside the link it was found by, then in tree files above it. */
async function* besideIt(search: Search): AsyncGenerator<FoundFingerprint> {
  const { subject, program, context } = search;
  // The launcher starts us in `/`, and the user may have named the program by a relative path.
  const start = context.host.workingDirectory ?? '/';
  const given = path.resolve(start, context.found ?? subject.program.given);
  const there = sidecarPlaces(given, subject.program.path).filter(({ file }) => isThere(file));
  if (there.length === 0) return;
  const { findSidecar } = await import('../fingerprint/sidecar.ts');
  const trust = await trustOf(search);
  for (const each of there) {
    const { believed, refused } = await findSidecar([each], program, ownersFor(search), trust);
    const [wrong] = refused;
    if (wrong !== undefined) yield { kind: 'refused', where: each.file, why: wrong.why };
    if (believed === undefined) continue;
    const { fingerprint, signedBy } = believed;
    yield {
      kind: 'believed',
      where: each.file,
      fingerprint,
      ...(signedBy === undefined ? {} : { signedBy }),
    };
  }
}

/** The sources of the configuration, in its order; `due`: those that did not say today that they have none. */
export async function* fromSources(search: Search, which: 'due' | 'all'): AsyncGenerator<FoundFingerprint> {
  const { program, settings, place, context } = search;
  if (settings.sources.length === 0) return;
  const { askSources, LARGEST, nameOfSource, pathInSource } = await import('../fingerprint/remote-source.ts');
  const { dayOf } = await import('../fingerprint/remote-source.ts');
  const { judgeTrust } = await import('../fingerprint/trust.ts');
  const trust = await trustOf(search);
  const stamps = { directory: path.join(place.cache, 'absent-from-sources'), day: dayOf(new Date()) };
  const timeout = settings['source-timeout'] * 1000;
  const limits = { timeout, largest: LARGEST, env: context.env };
  const question = { sha256: program.sha256, limits, stamps: which === 'due' ? stamps : undefined };
  for await (const { source, answer } of askSources(settings.sources, question)) {
    const name = nameOfSource(source);
    debug(`source ${name}: ${answer.kind}`);
    if (answer.kind === 'unreachable') yield { kind: 'unreachable', where: name, why: answer.why };
    if (answer.kind !== 'found') continue;
    const where = `${name.replace(/\/+$/, '')}/${pathInSource(program.sha256)}`;
    const judged = await judgeTrust(answer.text, { kind: 'source' }, program, trust);
    yield { ...judged, where };
  }
}

/** In the order of belief: what came with the program, then the sources. Each is opened when it is its turn. */
export async function* findFingerprints(search: Search): AsyncGenerator<FoundFingerprint> {
  yield* besideIt(search);
  yield* fromSources(search, 'due');
}
