// Says what its own library says.
#include <stdio.h>
const char *mine(void);
int main(void) {
  puts(mine());
  return 0;
}
