// The loaded objects → what ld.so says of the versions they need from each other, before anything is relocated.
import type { Verneed } from '../elf/elf-file.ts';
import type { Session } from './glibc-session.ts';
import { hasName, type LinkMap } from './link-map.ts';
import type { LoaderError } from './load-trace.ts';
import { isAtLeast } from './loader-request.ts';
import { visible } from './map-object.ts';

/**
 * _dl_check_all_versions (elf/dl-version.c). Adds to the session's errors and warnings. False when the loader ends at
 * once, without a list of objects.
 */
export function checkVersions(session: Session, searchList: readonly LinkMap[]): boolean {
  for (const map of visible(session)) {
    if (map.elf === undefined) continue;
    for (const verneed of map.elf.verneed) {
      const provider = findNeeded(session, searchList, map, verneed.file);
      if (provider === undefined) {
        session.errors.push(inconsistent(map, verneed.file));
        return false;
      }
      if (provider.elf !== undefined) matchVersions(session, map, provider, verneed);
    }
    if (lacksRelrMarker(session, map)) {
      session.errors.push(withoutMarker(map));
      return false;
    }
  }
  return true;
}

/** find_needed: by path and by recorded names; a soname counts only if somebody asked for it. */
function findNeeded(
  session: Session,
  searchList: readonly LinkMap[],
  map: LinkMap,
  file: string,
): LinkMap | undefined {
  const own = map === session.program ? searchList : [];
  return [...visible(session), ...own].find((each) => hasName(each, file));
}

/** match_symbol. */
function matchVersions(session: Session, map: LinkMap, provider: LinkMap, { versions }: Verneed): void {
  const { elf, path } = provider;
  if (elf === undefined) return;
  for (const { name, weak } of versions) {
    const places = { about: path, neededBy: map.path };
    if (!elf.hasVerdef) {
      const message = `${path}: no version information available (required by ${map.path})`;
      session.warnings.push({ kind: 'no versions', ...places, message });
      continue;
    }
    // The entry with VER_FLG_BASE is not passed over; its name is the soname.
    if (elf.verdef.includes(name) || name === elf.soname) continue;
    const message = `version \`${name}' not found (required by ${map.path})`;
    if (weak) {
      session.warnings.push({ kind: 'weak version', ...places, message: `${path}: weak ${message}` });
    } else {
      session.errors.push({
        stage: 'versions',
        kind: 'version',
        ...places,
        message: `${path}: ${message}`,
      });
    }
  }
}

/** Since 2.36. Only objects with a DT_VERNEED are looked at. */
function lacksRelrMarker({ request }: Session, { elf }: LinkMap): boolean {
  if (!elf?.hasRelr || elf.verneed.length === 0) return false;
  if (!isAtLeast(request.loader.settings, 2, 36)) return false;
  const marker = 'GLIBC_ABI_DT_RELR';
  const marked = elf.verneed.some(({ versions }) => versions.some(({ name }) => name === marker));
  return !marked && elf.needed.some((name) => name.startsWith('libc.so.'));
}

function inconsistent(map: LinkMap, file: string): LoaderError {
  const message = `Inconsistency detected by ld.so: dl-version.c: _dl_check_map_versions: Assertion \`needed != NULL' failed!`;
  return { stage: 'versions', kind: 'inconsistent', about: file, neededBy: map.path, message };
}

function withoutMarker(map: LinkMap): LoaderError {
  const message = `${map.path}: DT_RELR without GLIBC_ABI_DT_RELR dependency`;
  return { stage: 'versions', kind: 'relr', about: map.path, neededBy: undefined, message };
}
