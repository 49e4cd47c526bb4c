// The loaded objects → what ends a start after `--list` would have printed its list, and what may.
import type { Session } from './glibc-session.ts';
import { hasName, type LinkMap } from './link-map.ts';
import { isAtLeast } from './loader-request.ts';

/** Bits of GNU_PROPERTY_X86_ISA_1_NEEDED by the hwcaps subdirectory that a processor of that level searches. */
const levels: readonly (readonly [string, number])[] = [
  ['glibc-hwcaps/x86-64-v2', 2],
  ['glibc-hwcaps/x86-64-v3', 4],
  ['glibc-hwcaps/x86-64-v4', 8],
];
const x86_64 = 62;

/** _rtld_main_check (sysdeps/x86/dl-prop.h) and what the relocations will meet. Adds to errors and warnings. */
export function checkStart(session: Session, searchList: readonly LinkMap[]): void {
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
function checkIsaLevel({ request: { loader }, errors }: Session, { elf, role, path }: LinkMap): void {
  if (elf?.machine !== x86_64 || elf.class !== 64 || role === 'loader') return;
  if (!isAtLeast(loader.settings, 2, 33)) return;
  const supported = levels
    .filter(([subdirectory]) => loader.settings.subdirectories.includes(subdirectory))
    .reduce((bits, [, bit]) => bits | bit, 1);
  if ((elf.isaNeeded & ~supported) === 0) return;
  const message = `${path}: CPU ISA level is lower than required`;
  errors.push({ stage: 'start', kind: 'isa level', about: path, neededBy: undefined, message });
}

/** Before 2.36 such relocations are silently left out. */
function warnOfRelr({ request: { loader }, warnings }: Session, { elf, path }: LinkMap): void {
  if (!elf?.hasRelr || isAtLeast(loader.settings, 2, 36)) return;
  const message = `${path}: its relative relocations (DT_RELR) need glibc 2.36`;
  warnings.push({ kind: 'relative relocations', about: path, neededBy: undefined, message });
}

/** check_match (elf/dl-lookup.c): up to 2.40 an assertion fails when such a symbol is bound. */
function warnOfUnversioned({ request: { loader }, warnings, chain }: Session, map: LinkMap): void {
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
