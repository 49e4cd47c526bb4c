// Constants of ELF files by their names in the gABI: chapter 4, "Object Files", and chapter 5, "Program Loading and
// Dynamic Linking".

/** e_type. */
export const ET_REL = 1;
export const ET_EXEC = 2;
export const ET_DYN = 3;
export const ET_CORE = 4;

/** e_machine. */
export const EM_386 = 3;
export const EM_MIPS = 8;
export const EM_X86_64 = 62;
export const EM_AARCH64 = 183;

/** sh_type: it has no bytes in the file. */
export const SHT_NOBITS = 8;

/** p_flags. */
export const PF_X = 1;
export const PF_W = 2;
export const PF_R = 4;

/** DT_FLAGS. */
export const DF_BIND_NOW = 8;

/** DT_FLAGS_1, which is elf.h's. */
export const DF_1_NOW = 1;
export const DF_1_PIE = 0x0800_0000;
