// Prints what there was at its very first instruction (linked with -e first_instruction): the stack, the registers,
// and whether all of it can be read the way programs without a libc read it.
#include <elf.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/auxv.h>
#include <unistd.h>

uintptr_t *block;
uintptr_t for_atexit, stack_pointer;
void first_instruction(void);

__asm__(".text\n.globl first_instruction\nfirst_instruction:\n"
        "  mov %rsp, block(%rip)\n  mov %rdx, for_atexit(%rip)\n  jmp _start\n");

static uintptr_t in_vector(const uintptr_t *pair, uintptr_t tag) {
  for (; pair[0] != AT_NULL; pair += 2)
    if (pair[0] == tag) return pair[1];
  return 0;
}

// The vector as the kernel keeps it, for gdb and core dumps.
static uintptr_t in_kernel(uintptr_t tag) {
  static uintptr_t pairs[256];
  FILE *file = fopen("/proc/self/auxv", "rb");
  size_t words = file ? fread(pairs, sizeof *pairs, 254, file) : 0;
  if (file) fclose(file);
  return words ? in_vector(pairs, tag) : 0;
}

static void print(const char *what, char **strings) {
  for (; *strings; strings++) printf("%s %s\n", what, *strings);
}

int main(int argc, char **argv, char **envp) {
  uintptr_t *after = block + 1 + block[0] + 1;
  char **environment = (char **)after;
  while (*after) after++;
  const uintptr_t *vector = after + 1;
  char exe[4096] = "";
  if (readlink("/proc/self/exe", exe, sizeof exe - 1) < 0) return 1;
  printf("exe %s\n", exe);
  print("argument", argv);
  print("environment", environment);
  printf("aligned %d\n", (uintptr_t)block % 16 == 0);
  printf("same stack %d\n", argv == (char **)(block + 1) && envp == environment && argc == (int)block[0]);
  printf("finishes %d\n", for_atexit != 0);
  printf("entry %d %d %d\n", in_vector(vector, AT_ENTRY) == (uintptr_t)first_instruction,
         getauxval(AT_ENTRY) == (uintptr_t)first_instruction, in_kernel(AT_ENTRY) == (uintptr_t)first_instruction);
  const Elf64_Ehdr *loader = (const Elf64_Ehdr *)getauxval(AT_BASE), *vdso = (const Elf64_Ehdr *)getauxval(AT_SYSINFO_EHDR);
  printf("loader %d %d\n", loader->e_ident[1] == 'E', in_vector(vector, AT_BASE) == (uintptr_t)loader);
  printf("vdso %d %d\n", vdso->e_ident[1] == 'E', in_vector(vector, AT_SYSINFO_EHDR) == (uintptr_t)vdso);
  printf("program headers %d\n", in_vector(vector, AT_PHDR) == in_kernel(AT_PHDR));
  return 0;
}
