// Prints what was appended to its own file, as Bun, pkg and AppImages find theirs: from the end of /proc/self/exe.
#include <stdio.h>

int main(void) {
  char payload[17] = "";
  FILE *self = fopen("/proc/self/exe", "rb");
  if (!self || fseek(self, -16, SEEK_END) != 0 || fread(payload, 1, 16, self) != 16) return 1;
  return printf("%s\n", payload) < 0;
}
