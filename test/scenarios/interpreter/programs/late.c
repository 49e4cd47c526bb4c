// A library that nobody is linked with.
int answer(void) { return 42; }
