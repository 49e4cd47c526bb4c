// Interactive shells in terminals, a line typed into each in turn → the time from Enter to the next prompt.
// prompt-times ROUNDS LINE SHELL-WORDS... ; SHELL-WORDS... ;   The line prints `@`, every prompt ends with `P>`.
// Prints for each shell two medians in microseconds: the time, and the processor time of the shell itself, which does not
// depend on what else the machine does (proc_pid_schedstat: the first number, in nanoseconds).
#include <poll.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { MOST = 16, PATIENCE = 20000, SETTLED = 4 };

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}

static void fail(const char *why, const char *seen) {
  fprintf(stderr, "prompt-times: %s: %s\n", why, seen);
  exit(1);
}

// Reads until `second` is seen behind `first`; returns when it came.
static double await(int terminal, const char *first, const char *second) {
  static char seen[1 << 16];
  size_t length = 0;
  seen[0] = 0;
  for (;;) {
    struct pollfd wait = {.fd = terminal, .events = POLLIN};
    if (poll(&wait, 1, PATIENCE) != 1) fail("no prompt", seen);
    ssize_t count = read(terminal, seen + length, sizeof seen - 1 - length);
    if (count <= 0) fail("the shell ended", seen);
    seen[length += (size_t)count] = 0;
    const char *at = strstr(seen, first);
    if (at && strstr(at + strlen(first), second)) return now();
  }
}

static double processor_time(pid_t pid) {
  char name[64];
  unsigned long long nanoseconds = 0;
  snprintf(name, sizeof name, "/proc/%d/schedstat", (int)pid);
  FILE *file = fopen(name, "r");
  if (!file || fscanf(file, "%llu", &nanoseconds) != 1) fail("cannot read", name);
  fclose(file);
  return (double)nanoseconds / 1e3;
}

// Reads until nothing comes any more: the line editor has drawn what was typed.
static void settle(int terminal, int milliseconds) {
  char seen[4096];
  struct pollfd wait = {.fd = terminal, .events = POLLIN};
  while (poll(&wait, 1, milliseconds) == 1 && read(terminal, seen, sizeof seen) > 0) continue;
}

static pid_t open_shell(char **words, int *terminal) {
  struct winsize size = {.ws_row = 40, .ws_col = 120};
  pid_t pid = forkpty(terminal, NULL, NULL, &size);
  if (pid < 0) fail("no terminal", "");
  if (pid == 0) {
    execvp(words[0], words);
    _exit(127);
  }
  return pid;
}

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

int main(int argc, char **argv) {
  if (argc < 4) return 2;
  int rounds = atoi(argv[1]), shells = 0, terminals[MOST];
  pid_t pids[MOST];
  const char *line = argv[2];
  for (int i = 3; i < argc && shells < MOST; i++) {
    char **words = argv + i;
    while (i < argc && strcmp(argv[i], ";") != 0) i++;
    if (i < argc) argv[i] = NULL;
    pids[shells] = open_shell(words, &terminals[shells]);
    await(terminals[shells], "P>", "");
    settle(terminals[shells++], 500);
  }
  double *times = calloc((size_t)(rounds * shells), sizeof *times);
  double *work = calloc((size_t)(rounds * shells), sizeof *work);
  if (!times || !work) return 1;
  for (int round = -3; round < rounds; round++) {
    for (int k = 0; k < shells; k++) {
      int shell = round % 2 ? k : shells - 1 - k;
      if (write(terminals[shell], line, strlen(line)) < 0) fail("cannot type", line);
      settle(terminals[shell], SETTLED);
      double used = processor_time(pids[shell]), start = now();
      if (write(terminals[shell], "\r", 1) < 0) fail("cannot type", line);
      double end = await(terminals[shell], "@", "P>");
      settle(terminals[shell], SETTLED);
      if (round < 0) continue;
      times[shell * rounds + round] = end - start;
      work[shell * rounds + round] = processor_time(pids[shell]) - used;
    }
  }
  for (int shell = 0; shell < shells; shell++) {
    double *own = times + shell * rounds, *worked = work + shell * rounds;
    qsort(own, (size_t)rounds, sizeof *own, ascending);
    qsort(worked, (size_t)rounds, sizeof *worked, ascending);
    printf("%.1f %.1f\n", own[rounds / 2], worked[rounds / 2]);
  }
  return 0;
}
