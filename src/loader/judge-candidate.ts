// What lies at a path → whether glibc's loader takes it as a library, passes over it, or ends the start.
import type { ElfFile } from '../elf/elf-file.ts';
import { earlyErrorText } from './early-errors.ts';
import type { Attempt } from './load-trace.ts';
import type { Errno, Probe } from './loader-files.ts';

export type Verdict =
  | {
      readonly kind: 'take';
      readonly elf: ElfFile;
      readonly identity: string;
      /** Found wrong only when it is about to be mapped, so not if it is loaded already. */
      readonly refusedLater: string | undefined;
    }
  | { readonly kind: 'pass'; readonly why: Attempt['why']; readonly errno: Errno }
  | { readonly kind: 'refuse'; readonly message: string };

/** The class, machine and byte order that the loader was built for. */
export type Wanted = Pick<ElfFile, 'class' | 'machine' | 'byteOrder'>;

/** Errors of open_verify in front of its look at the machine, and behind it. */
const beforeMachine: ReadonlySet<string> = new Set([
  'ELF file version ident does not match current one',
  'ELF file OS ABI invalid',
  'ELF file ABI version invalid',
  'nonzero padding in e_ident',
  'ELF file version does not match current one',
]);
const ofHeader = 'only ET_DYN and ET_EXEC can be loaded';

/** open_verify (glibc elf/dl-load.c), in its order. */
export function judgeCandidate(probe: Probe, wanted: Wanted): Verdict {
  const headerSize = wanted.class === 64 ? 64 : 52;
  switch (probe.kind) {
    case 'unopened':
      return { kind: 'pass', why: probe.errno, errno: probe.errno };
    case 'directory':
      return { kind: 'refuse', message: `cannot read file data: ${earlyErrorText('EISDIR')}` };
    case 'not-elf':
      return { kind: 'refuse', message: probe.size < headerSize ? 'file too short' : 'invalid ELF header' };
    case 'bad-elf':
      return { kind: 'refuse', message: probe.size < headerSize ? 'file too short' : probe.why };
    case 'elf':
      return judgeElf(probe.elf, probe.identity, wanted);
  }
}

function judgeElf(elf: ElfFile, identity: string, wanted: Wanted): Verdict {
  const { loadError } = elf;
  if (elf.class !== wanted.class) return { kind: 'pass', why: 'wrong class', errno: 'ENOENT' };
  if (elf.byteOrder !== wanted.byteOrder) {
    return { kind: 'refuse', message: `ELF file data encoding not ${wanted.byteOrder}-endian` };
  }
  if (loadError !== undefined && beforeMachine.has(loadError)) return { kind: 'refuse', message: loadError };
  if (elf.machine !== wanted.machine) return { kind: 'pass', why: 'wrong machine', errno: 'ENOENT' };
  if (loadError === ofHeader) return { kind: 'refuse', message: loadError };
  return { kind: 'take', elf, identity, refusedLater: loadError };
}
