// Uses a library of the store, and one that it brings along, which the former needs too.
#include <stdio.h>
int old(void);
int use(void);
int main(void) {
  printf("answer %d\n", old() + use());
  return 0;
}
