// Whether the strings of argv lie one behind the other: libuv up to 1.11 and setproctitle rely on it.
#include <stdio.h>
#include <string.h>
int main(int argc, char **argv) {
  size_t size = 0;
  for (int i = 0; i < argc; i++) size += strlen(argv[i]) + 1;
  const char *end = argv[argc - 1] + strlen(argv[argc - 1]) + 1;
  puts((size_t)(end - argv[0]) == size ? "contiguous" : "NOT contiguous");
  return 0;
}
