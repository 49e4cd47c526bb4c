// Forty threads, each using the variables of five libraries: every one finds them fresh.
#include <pthread.h>
#include <stdio.h>

int use1(void), use2(void), use3(void), use4(void), use5(void);

static void *work(void *unused) {
  (void)unused;
  long sum = 0;
  for (int i = 0; i < 2; i++) sum += use1() + use2() + use3() + use4() + use5();
  return (void *)sum;
}

int main(void) {
  pthread_t threads[40];
  long first = (long)work(NULL), different = 0;
  for (int i = 0; i < 40; i++)
    if (pthread_create(&threads[i], NULL, work, NULL) != 0) return 1;
  for (int i = 0; i < 40; i++) {
    void *sum;
    pthread_join(threads[i], &sum);
    different += (long)sum != first;
  }
  return printf("sum %ld, different %ld\n", first, different) < 0;
}
