// DIRECTORY COMMAND... → the command, with an automount at the directory whose server is away; "asked" for each time that
// it is asked for. Both in the mount namespace of the caller.
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/auto_fs4.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

/* The group that answers is not asked itself (autofs, "oz mode"). */
static void answer(int requests, int directory)
{
	union autofs_v5_packet_union packet;
	while (read(requests, &packet, sizeof packet) == sizeof packet) {
		printf("asked\n");
		fflush(stdout);
		ioctl(directory, AUTOFS_IOC_FAIL, packet.v5_packet.wait_queue_token);
	}
}

int main(int argc, char **argv)
{
	int ends[2], status;
	char options[100];
	if (argc < 3 || setpgid(0, 0) || pipe2(ends, O_DIRECT | O_CLOEXEC))
		return 90;
	snprintf(options, sizeof options, "fd=%d,pgrp=%d,minproto=5,maxproto=5,direct", ends[1], (int)getpid());
	if (mount("automount", argv[1], "autofs", 0, options))
		return 91;
	int directory = open(argv[1], O_RDONLY | O_CLOEXEC);
	pid_t answering = fork();
	if (answering == 0) {
		answer(ends[0], directory);
		return 0;
	}
	pid_t command = fork();
	if (command == 0) {
		setpgid(0, 0);
		execvp(argv[2], argv + 2);
		return 92;
	}
	waitpid(command, &status, 0);
	kill(answering, SIGKILL);
	waitpid(answering, NULL, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 93;
}
