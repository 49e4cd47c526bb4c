// What is known of a program, or the conflict that keeps it from starting → the picture to be drawn.
import path from 'node:path';
import { type Drawn, type Picture, pictureOfSet } from '../graph/picture.ts';
import type { MapEntry } from '../launch/load-map.ts';
import { nameOfStoreObject, storeObjectOf } from '../store/store-location.ts';
import type { DynamicFacts, Facts } from './explain-facts.ts';

const KINDS: Record<MapEntry['found'], Drawn['kind']> = {
  farm: 'store',
  'own directory': 'store',
  bundled: 'bundled',
  LD_LIBRARY_PATH: 'bundled',
  'libc of the loader': 'libc',
  loader: 'libc',
};

function drawn(entry: MapEntry, { story, fingerprint }: DynamicFacts, storeDir: string): Drawn {
  const { name, found, storePath, file, neededBy } = entry;
  const origin = (each: string) => nameOfStoreObject(storeObjectOf(storeDir, each) ?? each);
  const wants = story?.wantsOf(name) ?? [];
  const objects = new Set(wants.map((want) => storeObjectOf(storeDir, want.path)));
  const kind = KINDS[found];
  return {
    name,
    kind,
    origin: storePath === null ? file : nameOfStoreObject(storePath),
    glibc: kind === 'libc' ? nameOfStoreObject(fingerprint.loader.storePath) : story?.glibcOf(name),
    neededBy,
    overridden: wants
      .filter((want) => storeObjectOf(storeDir, want.path) !== storePath)
      .map((want) => ({ by: want.by, origin: origin(want.path) })),
    diamond: kind !== 'libc' && objects.size > 1,
  };
}

/** The picture of a program that starts; one that needs nothing is a picture of itself. */
export function pictureOf(facts: Facts, storeDir: string): Picture {
  const program = path.basename(facts.program.path);
  if (!('subject' in facts)) return pictureOfSet(program, []);
  return pictureOfSet(
    program,
    facts.map.map((entry) => drawn(entry, facts, storeDir)),
  );
}
