// One of five libraries: a variable of each thread, and a function that is chosen when it is first relocated (IFUNC).
static __thread int of_thread = NUMBER;
static __thread char big[NUMBER * 512] = {1};

static int chosen(void) { return NUMBER * 100; }
static int (*choose(void))(void) { return chosen; }

#define JOIN(a, b) a##b
#define NAME(a, b) JOIN(a, b)
static int NAME(pick, NUMBER)(void) __attribute__((ifunc("choose")));

int NAME(use, NUMBER)(void) {
  big[1]++;
  return NAME(pick, NUMBER)() + of_thread++ + big[0] + big[1];
}
