// Says which zlib it was given.
#include <stdio.h>
const char *zlibVersion(void);
int main(void) {
  printf("zlib %s\n", zlibVersion());
  return 0;
}
