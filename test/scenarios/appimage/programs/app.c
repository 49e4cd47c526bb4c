// Says where it runs and with whose libraries; with `second` it starts the other program beside itself first, with
// `outside PROGRAM` that one.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

const char *zlibVersion(void);
const char *inside(void);

static void start(const char *path, const char *name, const char *argument)
{
	if (fork() == 0) {
		execl(path, name, argument, (char *)0);
		perror(path);
		_exit(1);
	}
	int status;
	wait(&status);
	printf("%s ended %d\n", name, WEXITSTATUS(status));
}

static void start_second(const char *directory)
{
	char path[8192];
	snprintf(path, sizeof path, "%s/usr/bin/second", directory);
	start(path, "second", NULL);
}

int main(int argc, char **argv)
{
	static const char *const names[] = {"APPDIR", "APPIMAGE", "ARGV0", "OWD"};
	char exe[4096], cwd[4096];
	long length = readlink("/proc/self/exe", exe, sizeof exe - 1);
	exe[length > 0 ? length : 0] = '\0';
	if (argc > 1 && strcmp(argv[1], "second") == 0)
		start_second(getenv("APPDIR"));
	if (argc > 2 && strcmp(argv[1], "outside") == 0)
		start(argv[2], "outside", "report");
	printf("exe %s\nargv0 %s\ninside %s\nzlib %c\ncwd %s\n", exe, argv[0], inside(), zlibVersion()[0],
	       getcwd(cwd, sizeof cwd));
	for (int i = 0; i < 4; i++)
		printf("%s %s\n", names[i], getenv(names[i]) ? getenv(names[i]) : "none");
	for (int i = 1; i < argc; i++)
		printf("arg%d %s\n", i, argv[i]);
	return argc > 1 && strcmp(argv[1], "fail") == 0 ? 7 : 0;
}
