// Says its name, its arguments and FOO; `cat` copies stdin, `exit N` ends so, `sleep N` waits, `pid` says its number,
// `level` says SHLVL.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv) {
  const char *word = argc > 1 ? argv[1] : "";
  if (strcmp(word, "exit") == 0) return atoi(argv[2]);
  if (strcmp(word, "sleep") == 0) return (int)sleep((unsigned)atoi(argv[2]));
  if (strcmp(word, "pid") == 0) return printf("pid %d\n", (int)getpid()) < 0;
  if (strcmp(word, "level") == 0) return puts(getenv("SHLVL")) < 0;
  if (strcmp(word, "cat") == 0) {
    for (int c; (c = getchar()) != EOF;) putchar(c);
    return 0;
  }
  const char *foo = getenv("FOO");
  printf("<%s>", argv[0]);
  for (int i = 1; i < argc; i++) printf("[%s]", argv[i]);
  printf("%s%s\n", foo ? " FOO=" : "", foo ? foo : "");
  return 0;
}
