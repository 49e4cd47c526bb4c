// A work of the torture that says it is done, and what it left → what it did not do.
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { sha256OfFile } from '../../src/host/file-identity.ts';
import { openSideCatalogue, sideCatalogueFile } from '../../src/index/side-catalogue.ts';
import { type LaunchPlan, parsePlan } from '../../src/plan/plan-format.ts';
import { base32 } from '../../src/store/fixed-path.ts';
import { PACKAGES } from './works.ts';

/** Of the index for tests: packages, their store objects, their libraries. */
const IN_INDEX = `${PACKAGES} ${PACKAGES} ${PACKAGES}`;

/** What a work left, as paths of the host, and what it is measured by. */
export interface Left {
  readonly home: string;
  /** Our place below /tmp. */
  readonly place: string;
  /** The program of the work, as a path of the root. */
  readonly program: string;
  /** The program as it was. */
  readonly original: string;
  /** A file with the document that is exported. */
  readonly document: string;
  /** A file with the document of an earlier start, to whose set the work adds. */
  readonly before?: string;
  /** Where the store is that links of the root lead to. */
  readonly storeDir: string;
}

function filesIn(directory: string): string[] {
  return existsSync(directory) ? readdirSync(directory).map((name) => path.join(directory, name)) : [];
}

/** `v1` of the user's own place, and of the one below /tmp. */
function layoutsOf({ home, place }: Left, own: string, belowPlace: string): string[] {
  return [path.join(home, own, 'nix-run-foreign/v1'), path.join(place, belowPlace, 'v1')];
}

function cachesOf(left: Left): string[] {
  return layoutsOf(left, '.cache', '');
}

function planOf(left: Left): LaunchPlan | undefined {
  return cachesOf(left)
    .flatMap((cache) => filesIn(path.join(cache, 'plans')))
    .map((file) => parsePlan(readFileSync(file)))
    .find((plan) => plan?.program === left.program);
}

/** The links that hold documents in the store: `roots/SHA256/KEY`. */
export function rootsOf(left: Left): string[] {
  return layoutsOf(left, '.local/state', 'state').flatMap((state) =>
    filesIn(path.join(state, 'roots')).flatMap(filesIn),
  );
}

/** Documents in files, as of a start for which Nix could not be asked. */
export function savedOf(left: Left): string[] {
  return layoutsOf(left, '.local/state', 'state').flatMap((state) =>
    filesIn(path.join(state, 'fingerprints')),
  );
}

function whyPlanned(left: Left): string | undefined {
  if (planOf(left) !== undefined) return 'the plan is there still';
  return rootsOf(left).length > 0 ? 'its root is there still' : undefined;
}

function isOriginal({ home, program, original }: Left): boolean {
  return sha256OfFile(path.join(home, path.basename(program))) === sha256OfFile(original);
}

function whyNotPatched(left: Left): string | undefined {
  return isOriginal(left) ? 'the program is not patched' : undefined;
}

function jsonIn(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

function whyNotExported({ home, program, document }: Left): string | undefined {
  const file = path.join(home, `${path.basename(program)}.nix-fingerprint.json`);
  return isDeepStrictEqual(jsonIn(file), jsonIn(document)) ? undefined : 'the document is not whole';
}

function whyNotIndexed(left: Left): string | undefined {
  const counts = cachesOf(left).flatMap((cache) => {
    const file = sideCatalogueFile(path.join(cache, 'catalogues'), left.storeDir);
    const catalogue = existsSync(file) ? openSideCatalogue(file, left.storeDir) : undefined;
    const sources = catalogue?.sources() ?? [];
    catalogue?.close();
    return sources.map(({ packages, objects, files }) => `${packages} ${objects} ${files}`);
  });
  return counts.includes(IN_INDEX) ? undefined : `of the index was read: ${counts.join(', ')}`;
}

function fieldOf(text: string, name: string): string {
  return new RegExp(`^${name}: ?(.*)$`, 'm').exec(text)?.[1] ?? '';
}

function whyNotInCache(cache: string, object: string): string | undefined {
  const file = path.join(cache, `${object.slice(0, 32)}.narinfo`);
  if (!existsSync(file)) return `${object} was not published`;
  const text = readFileSync(file, 'utf8');
  const packed = path.join(cache, fieldOf(text, 'URL'));
  const hash = existsSync(packed) ? `sha256:${base32(Buffer.from(sha256OfFile(packed), 'hex'))}` : undefined;
  return hash === fieldOf(text, 'FileHash') ? undefined : `${object} is not whole in the cache`;
}

/** Each object refers to nothing that is not there; so with the document all is there. */
function whyNotPublished(left: Left): string | undefined {
  const cache = path.join(left.home, 'cache');
  const documents = rootsOf(left).map((link) => path.basename(readlinkSync(link)));
  const infos = filesIn(cache).filter((file) => file.endsWith('.narinfo'));
  const referred = infos.flatMap((file) => fieldOf(readFileSync(file, 'utf8'), 'References').split(' '));
  if (documents.length === 0) return 'no document is there to be published';
  const all = new Set([...documents, ...referred.filter((name) => name !== '')]);
  return [...all].map((object) => whyNotInCache(cache, object)).find((why) => why !== undefined);
}

/** Of commands only: a start that printed what it should did all that it is for. */
const EFFECTS: Readonly<Record<string, (left: Left) => string | undefined>> = {
  prune: whyPlanned,
  forget: whyPlanned,
  patch: whyNotPatched,
  'patch lifted': whyNotPatched,
  unpatch: (left) => (isOriginal(left) ? undefined : 'the program is not what it was'),
  export: whyNotExported,
  import: (left) => (planOf(left) === undefined ? 'no plan was made' : undefined),
  index: whyNotIndexed,
  publish: whyNotPublished,
};

export function hasEffect(name: string): boolean {
  return name in EFFECTS;
}

/** What a work did not do; undefined where it did all. */
export function whyUndone(name: string, left: Left): string | undefined {
  return EFFECTS[name]?.(left);
}
