// glibc opens libgcc_s.so.1 by itself for pthread_exit(3).
#include <pthread.h>
#include <stdio.h>
static void *run(void *argument) {
  (void)argument;
  pthread_exit((void *)1);
}
int main(void) {
  pthread_t thread;
  void *result;
  pthread_create(&thread, 0, run, 0);
  pthread_join(thread, &result);
  printf("thread ended with %ld\n", (long)result);
  return 0;
}
