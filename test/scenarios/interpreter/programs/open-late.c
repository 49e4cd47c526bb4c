// Searches a library by its soname while it runs: once more, in a name space of its own, so that it is not there yet.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

int answer(void);

int main(void) {
  if (getenv("LD_LIBRARY_PATH")) return 2;
  void *late = dlmopen(LM_ID_NEWLM, "liblate.so.1", RTLD_NOW);
  if (!late) return fprintf(stderr, "%s\n", dlerror()), 1;
  int (*again)(void) = (int (*)(void))dlsym(late, "answer");
  return printf("late %d, %s\n", answer() + again(), again == answer ? "one copy" : "two copies") < 0;
}
