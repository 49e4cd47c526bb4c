// The places where a program's fingerprint may lie → the first that is believed, and why those before it are not.
import { type Belief, type BeliefCause, judgeDocument, type ProgramAtHand, type Trust } from './belief.ts';
import { MAXIMUM_SIZE } from './fingerprint.ts';
import type { Owners } from './ownership.ts';
import { type ReadCause, readDocument } from './read-document.ts';
import type { SidecarPlace } from './sidecar.ts';
import { findInTree, MAXIMUM_TREE_SIZE } from './tree-file.ts';

/** A file that was there and did not serve. */
export interface RefusedPlace extends SidecarPlace {
  /** `tree` is a tree file that is none. */
  readonly cause: BeliefCause | ReadCause | 'tree';
  readonly why: string;
}

export interface SidecarSearch {
  readonly believed?: SidecarPlace & Omit<Extract<Belief, { kind: 'believed' }>, 'kind'>;
  /** In the order of the places. */
  readonly refused: readonly RefusedPlace[];
}

type Judged =
  | Belief
  | { readonly kind: 'absent' }
  | { readonly kind: 'refused'; readonly cause: RefusedPlace['cause']; readonly why: string };

async function judgePlace(
  place: SidecarPlace,
  program: ProgramAtHand,
  owners: Owners,
  trust: Trust,
): Promise<Judged> {
  const limit = place.kind === 'tree' ? MAXIMUM_TREE_SIZE : MAXIMUM_SIZE;
  const document = readDocument(place.file, limit, owners);
  if (document.kind !== 'read') return document;
  const { text, writers } = document;
  if (place.kind === 'sidecar') return judgeDocument(text, { kind: 'sidecar', writers }, program, trust);
  const found = findInTree(text, program.sha256);
  if (found.kind === 'absent') return found;
  if (found.kind === 'refused') return { kind: 'refused', cause: 'tree', why: found.why };
  return judgeDocument(found.text, { kind: 'tree', writers }, program, trust);
}

/** Looks at the places of sidecar.ts one after the other and at nothing else. Never throws for what lies there. */
export async function findSidecar(
  places: readonly SidecarPlace[],
  program: ProgramAtHand,
  owners: Owners,
  trust: Trust,
): Promise<SidecarSearch> {
  const refused: RefusedPlace[] = [];
  for (const place of places) {
    const judged = await judgePlace(place, program, owners, trust);
    if (judged.kind === 'refused') refused.push({ ...place, cause: judged.cause, why: judged.why });
    if (judged.kind === 'believed') {
      const { fingerprint, signedBy } = judged;
      return {
        believed: { ...place, fingerprint, ...(signedBy === undefined ? {} : { signedBy }) },
        refused,
      };
    }
  }
  return { refused };
}
