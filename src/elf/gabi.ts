// Constants of ELF files by their names in the gABI, chapter 5, "Program Header" (p_flags).

export const PF_X = 1;
export const PF_W = 2;
