// An object being loaded → glibc's record of it: the names it answers to, where it comes from, what it searches.
import type { ElfFile } from '../../elf/elf-file.ts';
import { runPathDirectories, type TokenValues } from '../../elf/run-path.ts';
import type { AlreadyLoaded, Finding, ObjectRequest, OpenAttempt } from './trace.ts';

/** struct link_map, as far as the search for libraries reads it (include/link.h). */
export interface LinkMap {
  readonly role: 'program' | 'loader' | 'library';
  /** Undefined for a library that is nowhere (l_faked). */
  readonly elf: ElfFile | undefined;
  /** What messages call it: the path it was opened by. */
  readonly path: string;
  /** l_name: the same, but empty for the program. */
  readonly mapName: string;
  /** l_libname: the name it was first requested by, then others as they are used. */
  readonly names: string[];
  /** l_soname_added: its soname is among the names because somebody asked for it. */
  sonameAdded: boolean;
  /** l_file_id; the program and the loader have none. */
  readonly identity: string | undefined;
  /** l_loader: the object whose request opened it. */
  readonly loadedBy: LinkMap | undefined;
  /** l_origin. */
  readonly origin: string | undefined;
  readonly found: Finding;
  readonly hwcaps: string | undefined;
  readonly tried: readonly OpenAttempt[];
  readonly requests: ObjectRequest[];
  /** l_reserved: it is in the list of objects whose needs are followed. */
  listed: boolean;
  /** Directories of its DT_RPATH and DT_RUNPATH, read on first use. */
  searched?: { readonly rpath: readonly string[]; readonly runpath: readonly string[] };
}

/** Starts a record; what `fields` leaves out is that of an object nobody has asked for yet. */
export function makeLinkMap(
  fields: Omit<LinkMap, 'sonameAdded' | 'requests' | 'listed' | 'searched'>,
): LinkMap {
  return { ...fields, sonameAdded: false, requests: [], listed: false };
}

/**
 * The directory of a path as it is written: links are not followed (elf/dl-object.c, _dl_new_object). Relative paths
 * start in `workingDirectory`.
 */
export function originOf(path: string, workingDirectory: string): string {
  const slash = workingDirectory.endsWith('/') ? '' : '/';
  const whole = path.startsWith('/') ? path : `${workingDirectory}${slash}${path}`;
  return whole.slice(0, whole.lastIndexOf('/')) || '/';
}

/** _dl_name_match_p (elf/dl-misc.c): not the soname, unless a request has added it. */
export function hasName(map: LinkMap, name: string): boolean {
  return map.mapName === name || map.names.includes(name);
}

/**
 * _dl_lookup_map (elf/dl-load.c): the first object that `name` already stands for. Adds its soname when that matched.
 */
export function findLoaded(
  chain: readonly LinkMap[],
  name: string,
): { readonly map: LinkMap; readonly how: AlreadyLoaded } | undefined {
  for (const map of chain) {
    if (map.elf === undefined) continue;
    if (map.mapName === name) return { map, how: 'loaded by path' };
    if (map.names.includes(name)) return { map, how: 'loaded by name' };
    if (map.sonameAdded || map.elf.soname !== name) continue;
    map.names.push(name);
    map.sonameAdded = true;
    return { map, how: 'loaded by soname' };
  }
  return undefined;
}

/** DT_RPATH counts only where there is no DT_RUNPATH (elf/get-dynamic-info.h). */
export function searchedBy(
  map: LinkMap,
  tokens: Pick<TokenValues, 'lib' | 'platform'>,
): { readonly rpath: readonly string[]; readonly runpath: readonly string[] } {
  if (map.searched !== undefined) return map.searched;
  const values = { ...tokens, origin: map.origin };
  const { rpath, runpath } = map.elf ?? {};
  map.searched = {
    rpath: runpath === undefined && rpath !== undefined ? runPathDirectories(rpath, values) : [],
    runpath: runpath === undefined ? [] : runPathDirectories(runpath, values),
  };
  return map.searched;
}
