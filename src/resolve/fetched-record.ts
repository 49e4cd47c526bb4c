// What a file index brought for a program → a file beside its fingerprint, read when somebody asks why.
import { rmSync } from 'node:fs';
import path from 'node:path';
import { writeFileAtomically } from '../host/atomic-file.ts';
import type { Directories } from '../host/directories.ts';
import { reasonOf } from '../host/errors.ts';
import { makeDirectories } from '../host/files.ts';
import { debug } from '../host/output.ts';
import { ownersFor, readTrusted } from '../host/trusted-file.ts';
import type { Chosen } from '../index/choose-set.ts';
import { attributeOf } from '../index/package-objects.ts';
import { type IndexCriterion, whatDecides } from '../index/rank-matches.ts';

/** A name that the store did not have. */
export interface FetchedLibrary {
  readonly name: string;
  readonly storePath: string;
  /** Attribute of nixpkgs, with its output; empty where the index has none of its own. */
  readonly attribute: string;
  /** Store paths that the index has the name in too, the next best first. */
  readonly others: readonly string[];
  /** What put it before the first of the others; undefined where there are none. */
  readonly because?: IndexCriterion | undefined;
  /** ISO 8601. */
  readonly when: string;
}

const MOST_OTHERS = 100;

export function fetchedLibrary({ name, candidate, others }: Chosen): FetchedLibrary {
  const [next] = others;
  return {
    name,
    storePath: candidate.storePath,
    attribute: attributeOf(candidate.match.object),
    because: next && whatDecides(candidate, next),
    others: others.slice(0, MOST_OTHERS).map(({ storePath }) => storePath),
    when: new Date().toISOString(),
  };
}

function recordFile({ state }: Pick<Directories, 'state'>, sha256: string): string {
  return path.join(state, 'fetched', `${sha256}.json`);
}

/** Adds to what was noted before. What cannot be noted is missed by `explain` alone. */
export function noteFetched(
  dirs: Pick<Directories, 'state'>,
  sha256: string,
  came: readonly FetchedLibrary[],
): void {
  if (came.length === 0) return;
  const file = recordFile(dirs, sha256);
  const names = new Set(came.map(({ name }) => name));
  const before = readFetched(dirs, sha256).filter(({ name }) => !names.has(name));
  try {
    makeDirectories(path.dirname(file));
    writeFileAtomically(file, `${JSON.stringify([...before, ...came])}\n`);
  } catch (error) {
    debug(`${file}: ${reasonOf(error)}`);
  }
}

function isFetchedLibrary(value: unknown): value is FetchedLibrary {
  if (typeof value !== 'object' || value === null) return false;
  const { name, storePath, attribute, others, when } = value as Partial<FetchedLibrary>;
  return (
    [name, storePath, attribute, when].every((each) => typeof each === 'string') &&
    Array.isArray(others) &&
    others.every((each) => typeof each === 'string')
  );
}

const LARGEST = 1 << 20;

/** Empty where nothing was fetched, or what was noted is damaged. Total. */
export function readFetched(dirs: Pick<Directories, 'state'>, sha256: string): readonly FetchedLibrary[] {
  const file = recordFile(dirs, sha256);
  const owners = ownersFor(process.geteuid?.() ?? 0, file);
  const content = readTrusted(file, { owners, follow: false, limit: LARGEST });
  if (content.kind !== 'read') return [];
  try {
    const value: unknown = JSON.parse(content.bytes.toString('utf8'));
    return Array.isArray(value) ? value.filter(isFetchedLibrary) : [];
  } catch {
    return [];
  }
}

export function forgetFetched(dirs: Pick<Directories, 'state'>, sha256: string): void {
  rmSync(recordFile(dirs, sha256), { force: true });
}
