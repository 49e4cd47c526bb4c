// Which C library a program is built for → what differs in finding its loader and libraries.
import type { ElfFile } from '../elf/elf-file.ts';
import { isLibcFamily } from '../elf/libc-family.ts';
import { findMachine } from '../elf/machine.ts';

export interface Libc {
  readonly kind: 'glibc' | 'musl';
  /** File name of the loader: `ld-linux-x86-64.so.2`, `ld-musl-x86_64.so.1`. */
  readonly loaderName: string;
  /** True for names that only the loader's own store object may serve. */
  isFamily(name: string): boolean;
}

/** musl's loader is its libc, and it answers to these names itself (ldso/dynlink.c, load_library). */
function isMuslFamily(name: string): boolean {
  return (
    /^(libc|libpthread|librt|libm|libdl|libutil|libxnet)\.(so|musl-)/.test(name) ||
    name.startsWith('ld-musl-')
  );
}

/** The libc of a dynamic program. @throws RangeError for a machine without a name, which classify excludes. */
export function libcOf(elf: ElfFile, kind: 'glibc' | 'musl'): Libc {
  const machine = findMachine(elf);
  if (machine === undefined) throw new RangeError(`no loader name for machine ${elf.machine}`);
  return kind === 'musl'
    ? { kind, loaderName: machine.muslLoader, isFamily: isMuslFamily }
    : { kind, loaderName: machine.loaderSoname, isFamily: isLibcFamily };
}
