// Waits in a function of its own, for a minute at most.
#include <unistd.h>

__attribute__((noinline)) void waits_here(void)
{
	sleep(60);
}

int main(void)
{
	waits_here();
	return 0;
}
