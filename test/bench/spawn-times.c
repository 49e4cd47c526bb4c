// Command lines, separated by ";" → median and tenth percentile in microseconds of each, started in turn.
// usage: spawn-times ROUNDS CMD... ; CMD... ; ...     A word NAME=VALUE in front of a command is its environment.
// {} in a word is the round's number, so that every round can start another program; the warm-up has number ROUNDS.
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MOST_COMMANDS = 16, MOST_WORDS = 256 };

struct command {
  char *environment[MOST_WORDS];
  char *argv[MOST_WORDS];
  double *times;
};

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}

static char *numbered(const char *word, int round) {
  const char *place = strstr(word, "{}");
  char *text = NULL;
  if (!place) return (char *)word;
  if (asprintf(&text, "%.*s%d%s", (int)(place - word), word, round, place + 2) < 0) exit(1);
  return text;
}

static double run(struct command *command, int round) {
  char *argv[MOST_WORDS] = {0};
  for (int i = 0; command->argv[i]; i++) argv[i] = numbered(command->argv[i], round);
  double start = now();
  pid_t pid = vfork();
  if (pid == 0) {
    execve(argv[0], argv, command->environment);
    _exit(127);
  }
  int status;
  waitpid(pid, &status, 0);
  double end = now();
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    fprintf(stderr, "spawn-times: %s ended with %#x\n", command->argv[0], status);
    exit(1);
  }
  return end - start;
}

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return x < y ? -1 : x > y;
}

int main(int argc, char **argv) {
  static struct command commands[MOST_COMMANDS];
  int rounds = argc > 1 ? atoi(argv[1]) : 0, count = 0, words = 0, variables = 0;
  for (int i = 2; i < argc && count < MOST_COMMANDS; i++) {
    struct command *command = &commands[count];
    if (strcmp(argv[i], ";") == 0) count++, words = variables = 0;
    else if (words == 0 && strchr(argv[i], '=')) command->environment[variables++] = argv[i];
    else command->argv[words++] = argv[i];
  }
  if (words > 0) count++;
  if (rounds < 1 || count == 0) return 2;
  int null = open("/dev/null", O_RDWR);
  dup2(null, 0);
  int out = dup(1);
  dup2(null, 1);
  for (int c = 0; c < count; c++) commands[c].times = malloc(rounds * sizeof(double)), run(&commands[c], rounds);
  for (int r = 0; r < rounds; r++)
    for (int c = 0; c < count; c++) commands[c].times[r] = run(&commands[c], r);
  for (int c = 0; c < count; c++) {
    qsort(commands[c].times, rounds, sizeof(double), ascending);
    dprintf(out, "%.1f %.1f\n", commands[c].times[rounds / 2], commands[c].times[rounds / 10]);
  }
  return 0;
}
