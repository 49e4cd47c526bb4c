// Starts itself by /proc/self/exe, as Chromium's children and Bun's do.
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	if (argc > 1)
		return 0;
	pid_t child = fork();
	if (child == 0) {
		execl("/proc/self/exe", argv[0], "child", (char *)0);
		_exit(9);
	}
	int status;
	waitpid(child, &status, 0);
	printf("child status %d\n", WEXITSTATUS(status));
	return 0;
}
