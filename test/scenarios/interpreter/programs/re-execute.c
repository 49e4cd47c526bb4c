// Starts itself again by /proc/self/exe, as PyInstaller and Electron do, with the depth as argument; says how deep it came.
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv) {
  int depth = argc > 1 ? atoi(argv[1]) : 0;
  if (depth == 3) return printf("depth %d, %s, library path %s\n", depth, argv[0], getenv("LD_LIBRARY_PATH")) < 0;
  char next[16];
  snprintf(next, sizeof next, "%d", depth + 1);
  execl("/proc/self/exe", argv[0], next, (char *)NULL);
  perror("/proc/self/exe");
  return 1;
}
