// Planned objects → which of them provides a soname to its group, and merges those that need each other.
import { basename, dirname } from 'node:path';
import type { PlannedObject } from './store-object.ts';

/** A file that serves a soname: in which object, in which directory of it. */
export interface Provider {
  readonly object: PlannedObject;
  /** `lib`, or a subdirectory such as `lib/pulseaudio`. */
  readonly directory: string;
}

/** Soname (or file name) by group → provider. */
export type Providers = ReadonlyMap<string, ReadonlyMap<string, Provider>>;

/** Files directly in `lib` win over those in subdirectories; then the first object by key. */
export function providersOf(objects: readonly PlannedObject[]): Providers {
  const groups = new Map<string, Map<string, Provider>>();
  for (const object of [...objects].sort((a, b) => (a.key < b.key ? -1 : 1))) {
    const group = groups.get(object.group) ?? new Map<string, Provider>();
    groups.set(object.group, group);
    for (const target of [...object.files.values(), ...object.links.keys()]) {
      if (!target.startsWith('lib/')) continue;
      const provider: Provider = { object, directory: dirname(target) };
      const known = group.get(basename(target));
      const better = !known || (known.directory !== 'lib' && provider.directory === 'lib');
      // glibc's copy of libgcc_s.so.1 does not compete with the real one.
      const copy = known && known.object.kind === 'glibc' && basename(target) === 'libgcc_s.so.1';
      if (better || copy) group.set(basename(target), provider);
    }
  }
  return groups;
}

/** The objects that the ELF files of `object` need, itself left out. */
export function neededObjects(object: PlannedObject, providers: Providers): PlannedObject[] {
  if (object.kind === 'glibc') return [];
  const found = new Set<PlannedObject>();
  for (const { needed } of object.dynamic.values()) {
    for (const soname of needed) {
      const provider = providers.get(object.group)?.get(soname);
      if (provider && provider.object !== object) found.add(provider.object);
    }
  }
  return [...found];
}

/** Objects in a cycle of needs become one object, since the references of store objects are acyclic. */
export function mergeCycles(objects: readonly PlannedObject[]): PlannedObject[] {
  const providers = providersOf(objects);
  const index = new Map<PlannedObject, number>();
  const low = new Map<PlannedObject, number>();
  const stack: PlannedObject[] = [];
  const merged: PlannedObject[] = [];
  // Tarjan's strongly connected components.
  const visit = (object: PlannedObject): void => {
    const own = index.size;
    index.set(object, own);
    low.set(object, own);
    stack.push(object);
    for (const next of neededObjects(object, providers)) {
      if (!index.has(next)) visit(next);
      if (stack.includes(next)) low.set(object, Math.min(low.get(object) ?? own, low.get(next) ?? own));
    }
    if (low.get(object) === own) merged.push(join(stack.splice(stack.indexOf(object))));
  };
  for (const object of objects) if (!index.has(object)) visit(object);
  return merged.sort((a, b) => (a.key < b.key ? -1 : 1));
}

function join(parts: readonly PlannedObject[]): PlannedObject {
  const [first, ...rest] = [...parts].sort((a, b) => (a.key < b.key ? -1 : 1));
  if (!first) throw new Error('an empty component');
  let whole = first;
  for (const part of rest) {
    whole = {
      key: `${whole.key}+${part.key}`,
      name: whole.name,
      group: whole.group,
      files: new Map([...part.files, ...whole.files]),
      links: new Map([...part.links, ...whole.links]),
      dynamic: new Map([...part.dynamic, ...whole.dynamic]),
      kind: part.kind === 'executables' ? 'executables' : whole.kind,
    };
  }
  return whole;
}
