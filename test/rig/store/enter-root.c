// A status descriptor, ids and a command → the command run as that user, its true end written to the descriptor.
// enter-root FD UID GID COMMAND [ARG...]; writes "exit N" or "signal N", which bubblewrap's own status cannot tell apart.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv) {
  if (argc < 5) return 125;
  int report = atoi(argv[1]);
  uid_t uid = (uid_t)atoi(argv[2]);
  gid_t gid = (gid_t)atoi(argv[3]);
  fcntl(report, F_SETFD, FD_CLOEXEC);
  pid_t child = fork();
  if (child < 0) return 125;
  if (child == 0) {
    if (uid != 0 && (setgroups(0, NULL) || setresgid(gid, gid, gid) || setresuid(uid, uid, uid))) {
      perror("enter-root: cannot become the user");
      _exit(125);
    }
    execvp(argv[4], argv + 4);
    int reason = errno;
    fprintf(stderr, "enter-root: %s: %s\n", argv[4], strerror(reason));
    _exit(reason == ENOENT ? 127 : 126);
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
  if (WIFSIGNALED(status)) dprintf(report, "signal %d\n", WTERMSIG(status));
  else dprintf(report, "exit %d\n", WEXITSTATUS(status));
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
