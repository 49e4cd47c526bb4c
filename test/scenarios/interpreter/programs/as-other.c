// Becomes another user with a clean environment, as sudo does, and starts a program: as-other UID PROGRAM ARG...
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv) {
  char *environment[] = {"PATH=/nix/var/nix/profiles/default/bin", "HOME=/nowhere", NULL};
  int id = argc > 2 ? atoi(argv[1]) : 0;
  if (id == 0 || setgroups(0, NULL) != 0 || setgid(id) != 0 || setuid(id) != 0) return 98;
  execve(argv[2], argv + 2, environment);
  perror(argv[2]);
  return 99;
}
