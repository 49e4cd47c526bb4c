// Headers -> what ld.so would refuse the object for as a library, if anything.
import type { ElfFile } from './elf-file.ts';
import type { Header } from './header.ts';
import { type Segment, segmentType } from './segments.ts';

const gnu = 3;
/** LIBC_ABI_MAX of the oldest glibc here is 4 (libc-abis). */
const highestGnuAbi = 3;
const executable = 2;
const flag1Pie = 0x0800_0000;
const pageSize = 4096;

/** ld.so's own words and order: open_verify and _dl_map_object_from_fd in elf/dl-load.c. */
export function findLoadError(
  { ident, version, type }: Header,
  segments: readonly Segment[],
  { dynamic, flags1 }: Pick<ElfFile, 'dynamic' | 'flags1'>,
): string | undefined {
  const [osAbi = 0, abiVersion = 0] = ident.subarray(7, 9);
  if (ident[6] !== 1) return 'ELF file version ident does not match current one';
  if (osAbi !== 0 && osAbi !== gnu) return 'ELF file OS ABI invalid';
  if (abiVersion > (osAbi === gnu ? highestGnuAbi : 0)) return 'ELF file ABI version invalid';
  if (ident.subarray(9).some((byte) => byte !== 0)) return 'nonzero padding in e_ident';
  if (version !== 1) return 'ELF file version does not match current one';
  if (segments.length === 0) return 'only ET_DYN and ET_EXEC can be loaded';
  if (segments.some(isMisaligned)) return 'ELF load command address/offset not page-aligned';
  if (type === executable) return 'cannot dynamically load executable';
  if (!dynamic) return 'object file has no dynamic section';
  if ((flags1 & flag1Pie) !== 0) return 'cannot dynamically load position-independent executable';
  return undefined;
}

function isMisaligned({ type, address, offset }: Segment): boolean {
  return type === segmentType.load && address % pageSize !== offset % pageSize;
}
