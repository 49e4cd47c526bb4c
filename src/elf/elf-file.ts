// The shape of what is read from one ELF object: everything ld.so decides by, and nothing of its sections.

/** A version that an object needs from one file (Vernaux, elf.h; glibc elf/dl-version.c). */
export interface NeededVersion {
  readonly name: string;
  /** VER_FLG_WEAK: ld.so only warns when it is missing. */
  readonly weak: boolean;
}

/** One Verneed: the versions needed from `file` (a soname, as the linker saw it). */
export interface Verneed {
  readonly file: string;
  readonly versions: readonly NeededVersion[];
}

/** A library that an object may dlopen (`.note.dlopen`, UAPI.12). */
export interface DlopenNote {
  /** Alternatives, most preferred first. */
  readonly sonames: readonly string[];
  readonly feature: string | undefined;
  readonly priority: 'required' | 'recommended' | 'suggested';
}

/** One ELF object as ld.so sees it. Strings are decoded as latin1 so that no byte of a path is lost. */
export interface ElfFile {
  readonly class: 32 | 64;
  readonly byteOrder: 'little' | 'big';
  /** e_machine: 3 i386, 62 x86-64, 183 aarch64 ... */
  readonly machine: number;
  /** e_ident[EI_OSABI]: 0 System V, 3 GNU. */
  readonly osAbi: number;
  readonly abiVersion: number;
  /** e_type: 1 REL, 2 EXEC, 3 DYN, 4 CORE. */
  readonly type: number;
  /** e_entry, an address; 0 also where no segment has bytes of the file there, as in a separate debug file. */
  readonly entry?: number;
  /** The string of PT_INTERP. */
  readonly interpreter: string | undefined;
  /** PT_DYNAMIC is there. */
  readonly dynamic: boolean;
  readonly soname: string | undefined;
  readonly needed: readonly string[];
  /** DT_RPATH as written; ld.so ignores it when DT_RUNPATH is there too. */
  readonly rpath: string | undefined;
  readonly runpath: string | undefined;
  readonly verneed: readonly Verneed[];
  /** Names of the versions defined (Verdef, without the VER_FLG_BASE entry, which names the file). */
  readonly verdef: readonly string[];
  /** DT_VERDEF is there; without it ld.so accepts the object for any version, with a warning. */
  readonly hasVerdef: boolean;
  /** DT_VERSYM is there. */
  readonly hasVersym: boolean;
  /** DT_FLAGS and DT_FLAGS_1 as numbers (elf.h DF_*, DF_1_*). */
  readonly flags: number;
  readonly flags1: number;
  /** DT_AUXILIARY, DT_FILTER, DT_AUDIT and DT_DEPAUDIT strings. */
  readonly auxiliary: readonly string[];
  readonly filter: readonly string[];
  readonly audit: readonly string[];
  /** DT_RELR is there. */
  readonly hasRelr: boolean;
  /** DT_DEBUG is there, which linkers give programs and no library. */
  readonly hasDebug: boolean;
  /** Bits of GNU_PROPERTY_X86_ISA_1_NEEDED; 0 when absent. */
  readonly isaNeeded: number;
  /** PT_GNU_STACK: 'executable' when PF_X is set or (as the kernel reads it) 'absent'. */
  readonly stack: 'plain' | 'executable' | 'absent';
  readonly dlopen: readonly DlopenNote[];
  /**
   * What ld.so would say, with status 127, if it met the object while looking for a library (elf/dl-load.c); absent
   * when it would load it. Another class or machine is not meant: it passes over those.
   */
  readonly loadError?: string;
  /**
   * First byte after everything the program headers and the section header table describe; bytes beyond it are a
   * payload.
   */
  readonly end: number;
}
