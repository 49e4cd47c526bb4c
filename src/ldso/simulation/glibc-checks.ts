// The loaded objects → what ld.so says of the versions they need, and what ends a start after `--list` has listed them.

import type { Verneed } from '../../elf/elf-file.ts';
import { EM_X86_64 } from '../../elf/gabi.ts';
import { visible } from './glibc-map.ts';
import type { GlibcState } from './glibc-state.ts';
import { hasName, type LinkMap } from './link-map.ts';
import { isAtLeast } from './request.ts';
import type { LoaderError } from './trace.ts';

/**
 * _dl_check_all_versions (elf/dl-version.c). Adds to the session's errors and warnings. False when the loader ends at
 * once, without a list of objects.
 */
export function checkVersions(session: GlibcState, searchList: readonly LinkMap[]): boolean {
  for (const map of visible(session)) {
    if (map.elf === undefined) continue;
    let isMarked = false;
    for (const verneed of map.elf.verneed) {
      const provider = findNeeded(session, searchList, map, verneed.file);
      if (provider === undefined) {
        session.errors.push(inconsistent(map, verneed.file));
        return false;
      }
      if (provider.elf === undefined) continue;
      matchVersions(session, map, provider, verneed);
      isMarked ||= verneed.versions.some(({ name }) => name === RELR_MARKER);
    }
    if (!isMarked && needsRelrMarker(session, map)) {
      session.errors.push(withoutMarker(map));
      return false;
    }
  }
  return true;
}

/** find_needed: by path and by recorded names; a soname counts only if somebody asked for it. */
function findNeeded(
  session: GlibcState,
  searchList: readonly LinkMap[],
  map: LinkMap,
  file: string,
): LinkMap | undefined {
  const own = map === session.program ? searchList : [];
  return [...visible(session), ...own].find((each) => hasName(each, file));
}

/** match_symbol. */
function matchVersions(session: GlibcState, map: LinkMap, provider: LinkMap, { versions }: Verneed): void {
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

/** Counts where the library is there that it is needed of, not where `ldd` only notes that library as missing. */
const RELR_MARKER = 'GLIBC_ABI_DT_RELR';

/** Since 2.36. Only objects with a DT_VERNEED are looked at. */
function needsRelrMarker({ request }: GlibcState, { elf }: LinkMap): boolean {
  if (!elf?.hasRelr || elf.verneed.length === 0) return false;
  if (!isAtLeast(request.loader.settings, 2, 36)) return false;
  return elf.needed.some((name) => name.startsWith('libc.so.'));
}

function inconsistent(map: LinkMap, file: string): LoaderError {
  const message = `Inconsistency detected by ld.so: dl-version.c: _dl_check_map_versions: Assertion \`needed != NULL' failed!`;
  return { stage: 'versions', kind: 'inconsistent', about: file, neededBy: map.path, message };
}

function withoutMarker(map: LinkMap): LoaderError {
  const message = `${map.path}: DT_RELR without ${RELR_MARKER} dependency`;
  return { stage: 'versions', kind: 'relr', about: map.path, neededBy: undefined, message };
}

/** Bits of GNU_PROPERTY_X86_ISA_1_NEEDED by the hwcaps subdirectory that a processor of that level searches. */
const LEVELS: readonly (readonly [string, number])[] = [
  ['glibc-hwcaps/x86-64-v2', 2],
  ['glibc-hwcaps/x86-64-v3', 4],
  ['glibc-hwcaps/x86-64-v4', 8],
];

/** _rtld_main_check (sysdeps/x86/dl-prop.h) and what the relocations will meet. Adds to errors and warnings. */
export function checkStart(session: GlibcState, searchList: readonly LinkMap[]): void {
  // Missing versions would have ended the start before.
  if (session.errors.length === 0) for (const map of searchList.toReversed()) checkIsaLevel(session, map);
  for (const map of session.chain) {
    warnOfRelr(session, map);
    warnOfUnversioned(session, map);
    if (map.elf !== undefined && map.elf.audit.length > 0) {
      const message = `${map.path}: its auditors (${map.elf.audit.join(', ')}) may change what is loaded`;
      session.warnings.push({ kind: 'auditor', about: map.path, neededBy: undefined, message });
    }
  }
}

/** Checked since 2.33. The order among several such objects is that of their initialisation, which is not simulated. */
function checkIsaLevel({ request: { loader }, errors }: GlibcState, { elf, role, path }: LinkMap): void {
  if (elf?.machine !== EM_X86_64 || elf.class !== 64 || role === 'loader') return;
  if (!isAtLeast(loader.settings, 2, 33)) return;
  const supported = LEVELS.filter(([subdirectory]) =>
    loader.settings.subdirectories.includes(subdirectory),
  ).reduce((bits, [, bit]) => bits | bit, 1);
  if ((elf.isaNeeded & ~supported) === 0) return;
  const message = `${path}: CPU ISA level is lower than required`;
  errors.push({ stage: 'start', kind: 'isa level', about: path, neededBy: undefined, message });
}

/** Before 2.36 such relocations are silently left out. */
function warnOfRelr({ request: { loader }, warnings }: GlibcState, { elf, path }: LinkMap): void {
  if (!elf?.hasRelr || isAtLeast(loader.settings, 2, 36)) return;
  const message = `${path}: its relative relocations (DT_RELR) need glibc 2.36`;
  warnings.push({ kind: 'relative relocations', about: path, neededBy: undefined, message });
}

/** check_match (elf/dl-lookup.c): up to 2.40 an assertion fails when such a symbol is bound. */
function warnOfUnversioned({ request: { loader }, warnings, chain }: GlibcState, map: LinkMap): void {
  if (isAtLeast(loader.settings, 2, 41)) return;
  for (const { file } of map.elf?.verneed ?? []) {
    const provider = chain.find((each) => each.elf !== undefined && hasName(each, file));
    if (provider?.elf === undefined || provider.elf.hasVersym) continue;
    const message = `${provider.path}: defines symbols without versions (${map.path} needs versions of it)`;
    warnings.push({
      kind: 'unversioned provider',
      about: provider.path,
      neededBy: map.path,
      message,
    });
  }
}
