// What the commands about file indexes do → what there is, what a name is found in, and one file to hand on.
import { statSync } from 'node:fs';
import { type AbsentName, absentName } from './absent-names.ts';
import { assertNoCatalogue } from './catalogue-errors.ts';
import { derivedFile, type Sign } from './derived-file.ts';
import { ageInDays, findDatabase, type Place, type Search, type UselessIndex } from './find-database.ts';
import { type KnownProvider, knownProvider } from './known-providers.ts';
import { examineName, type RankContext, type Ranked, rankExamined } from './rank-matches.ts';
import { type CataloguePlace, readSource, type SourceReading, type SourceState } from './read-source.ts';
import { type IndexSource, openSideCatalogue, type SideCatalogue } from './side-catalogue.ts';

export interface ReadIndex {
  readonly file: string;
  readonly place: Place;
  readonly state: SourceState;
  /** Days since the file was written; undefined in the store. */
  readonly age: number | undefined;
}

export interface ReadIndexes {
  readonly read: readonly ReadIndex[];
  /** Found without being named, and with programs only: passed by for the next place. */
  readonly passed: readonly ReadIndex[];
  readonly useless: readonly UselessIndex[];
}

function ageOf(file: string): number | undefined {
  try {
    return ageInDays(file, Date.now());
  } catch {
    return undefined;
  }
}

function hasLibraries({ state }: ReadIndex): boolean {
  return !('source' in state) || state.source.refusal?.kind !== 'no-libraries';
}

/**
 * Finds the indexes and makes sure that they are in the catalogue: the first time that takes seconds, afterwards one
 * look at each file.
 */
export async function readIndexes(
  place: CataloguePlace,
  search: Search,
  reading: SourceReading,
): Promise<ReadIndexes> {
  const [passed, useless]: [ReadIndex[], UselessIndex[]] = [[], []];
  for (let after: ReadIndex | undefined; ; ) {
    const result = findDatabase(search, after);
    useless.push(...result.useless);
    const now: ReadIndex[] = [];
    for (const { file, place: where } of result.found)
      now.push({ file, place: where, state: await readSource(place, file, reading), age: ageOf(file) });
    const [first] = now;
    if (search.setting !== 'auto' || first === undefined || hasLibraries(first))
      return { read: now, passed, useless };
    passed.push(first);
    after = first;
  }
}

interface CatalogueStatus {
  readonly file: string;
  /** Bytes; 0 where there is no catalogue. */
  readonly size: number;
  readonly sources: readonly IndexSource[];
}

/** What is in the catalogue; nothing is in a damaged one. Changes nothing. */
export function catalogueStatus(place: CataloguePlace): CatalogueStatus {
  const none = { file: place.file, size: 0, sources: [] };
  const catalogue = openSideCatalogue(place.file, place.storeDir);
  try {
    if (catalogue === undefined) return none;
    return { file: place.file, size: statSync(place.file).size, sources: catalogue.sources() };
  } catch (error) {
    assertNoCatalogue(error, place.file);
    return none;
  } finally {
    catalogue?.close();
  }
}

type ExportedIndex =
  | { readonly kind: 'exported'; readonly content: Uint8Array }
  /** There is nothing in the catalogue, or nothing of these sources. */
  | { readonly kind: 'empty' };

/** The bytes of one file with what is in the catalogue, of the sources that `counts` says. */
export function exportIndex(
  place: CataloguePlace,
  sign: Sign | undefined,
  counts: (source: IndexSource) => boolean = () => true,
): ExportedIndex {
  const all = openSideCatalogue(place.file, place.storeDir);
  try {
    const catalogue = all?.only(counts);
    if (catalogue === undefined || catalogue.sources().every(({ objects }) => objects === 0))
      return { kind: 'empty' };
    return { kind: 'exported', content: derivedFile(place.storeDir, catalogue.packages(), sign) };
  } finally {
    all?.close();
  }
}

export interface FoundName extends Ranked {
  readonly known: KnownProvider | undefined;
  readonly absent: AbsentName | undefined;
  /** Names that begin as the library does: other versions of it among them. */
  readonly alike: readonly string[];
}

const MOST_ALIKE = 50;

/** Everything that is known of a name, the best candidate first. */
export function findName(name: string, context: RankContext): FoundName {
  const ranked = rankExamined(examineName(name, context), context, { chosen: new Set(), covers: () => 1 });
  const cut = name.indexOf('.so');
  const alike = namesAlike(context.catalogue, cut < 0 ? name : name.slice(0, cut)).filter(
    (each) => each !== name,
  );
  return { ...ranked, known: knownProvider(name), absent: absentName(name, context.target.system), alike };
}

function namesAlike(catalogue: SideCatalogue, stem: string): readonly string[] {
  return catalogue.namesBeginning(stem, MOST_ALIKE);
}
