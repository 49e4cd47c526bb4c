// A command → how it ended. The program that this process becomes must not notice that there was a child.
//
// execve(2) sets the exit signal of a process to SIGCHLD again (fs/exec.c, de_thread), and a SIGCHLD that is blocked
// stays pending over an execve. So the child of this process, the supervisor, never calls execve and has exit signal 0.
// It starts the command, waits for it whatever the disposition of SIGCHLD is here, and leaves its ending in shared
// memory.
#include "launch.h"

enum { STANDARD_INPUT, STANDARD_OUTPUT, STANDARD_ERROR };
enum { STACK_OF_NODE = 8 * 1024 * 1024 };

// Where there is no /dev/null: a pipe that nobody writes to ends at once, as that does. Node aborts when one of the
// three is closed and /dev/null is missing (src/node.cc, PlatformInit). What it prints may still only go to standard
// error.
static void set_descriptors_without_device(void)
{
	int ends[2];
	if (kernel_pipe(ends) < 0)
		return;
	kernel_close(ends[1]);
	if (ends[0] != STANDARD_INPUT)
		kernel_dup_onto(ends[0], STANDARD_INPUT);
	if (kernel_dup_onto(STANDARD_ERROR, STANDARD_OUTPUT) >= 0)
		return;
	kernel_dup_onto(STANDARD_INPUT, STANDARD_OUTPUT);
	kernel_dup_onto(STANDARD_INPUT, STANDARD_ERROR);
}

static void set_standard_descriptors(void)
{
	long nothing = kernel_open(AT_CWD, "/dev/null", O_RDWR);
	if (nothing < 0) {
		set_descriptors_without_device();
		return;
	}
	if (nothing != STANDARD_INPUT)
		kernel_dup_onto((int)nothing, STANDARD_INPUT);
	if (nothing != STANDARD_OUTPUT)
		kernel_dup_onto((int)nothing, STANDARD_OUTPUT);
	// With standard error closed, `nothing` may be 2: then it stays, and Node finds all three open.
}

static _Noreturn void become_command(const struct resolver_command *command, long supervisor,
				     volatile struct ending *ending)
{
	kernel_set_death_signal(SIGTERM);
	if (kernel_getppid() != supervisor)
		kernel_exit(1);
	if (!command->asks)
		set_standard_descriptors();
	if (!command->image)
		kernel_close_from(STANDARD_ERROR + 1);
	kernel_raise_limit(RLIMIT_STACK, STACK_OF_NODE);
	kernel_chdir("/"); // process.cwd() throws in a directory that is gone; all paths are absolute
	kernel_set_signal_mask(0);
	ending->error = (int)-(command->image ? kernel_execve_open(command->image, command->argv, command->envp)
					      : kernel_execve(command->execute, command->argv, command->envp));
	kernel_exit(1);
}

static int wait_for(long pid)
{
	int status = 0;
	while (kernel_wait(pid, &status) == -EINTR)
		;
	return status;
}

static _Noreturn void supervise(const struct resolver_command *command, long launcher, volatile struct ending *ending)
{
	kernel_set_signal_mask(~(uint64_t)0); // only the launcher's death ends the supervisor, and the command with it
	kernel_set_death_signal(SIGKILL);
	if (kernel_getppid() != launcher)
		kernel_exit(1);
	kernel_default_action(SIGCHLD); // if ignored, the kernel would reap the command and its status with it
	long supervisor = kernel_getpid();
	long child = kernel_fork(SIGCHLD);
	if (child == 0)
		become_command(command, supervisor, ending);
	if (child < 0)
		ending->error = (int)-child;
	else
		ending->status = wait_for(child);
	kernel_exit(0);
}

struct ending resolver_process_run(const struct resolver_command *command)
{
	if (kernel_children_are_elsewhere())
		return (struct ending){.error = ECHILD};
	long shared = kernel_map_memory(sizeof(struct ending), MAP_SHARED);
	if (is_kernel_error(shared))
		return (struct ending){.error = (int)-shared};
	volatile struct ending *ending = (struct ending *)shared;
	long launcher = kernel_getpid();
	enum { NO_EXIT_SIGNAL = 0 };
	long supervisor = kernel_fork(NO_EXIT_SIGNAL);
	if (supervisor == -EINVAL) // an emulator that knows fork only (qemu, linux-user/syscall.c, do_fork)
		supervisor = kernel_fork(SIGCHLD);
	if (supervisor == 0)
		supervise(command, launcher, ending);
	struct ending found = {.error = (int)-supervisor};
	if (supervisor > 0) {
		int status = wait_for(supervisor);
		found = status != 0 ? (struct ending){.status = status}
				    : (struct ending){.error = ending->error, .status = ending->status};
	}
	kernel_unmap((uintptr_t)shared, sizeof(struct ending));
	return found;
}

// The smallest 32-bit program: one segment with `exit(0)` (System V ABI i386).
static const unsigned char exit_program[] = {
	0x7f, 'E', 'L', 'F', 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0,      // ident
	2, 0, 3, 0, 1, 0, 0, 0, 0x54, 0x80, 0x04, 0x08, 52, 0, 0, 0, // type, machine, version, entry, phoff
	0, 0, 0, 0, 0, 0, 0, 0, 52, 0, 32, 0, 1, 0, 40, 0, 0, 0, 0, 0,
	1, 0, 0, 0, 0, 0, 0, 0, 0, 0x80, 0x04, 0x08, 0, 0x80, 0x04, 0x08, // PT_LOAD of the whole file
	93, 0, 0, 0, 93, 0, 0, 0, 5, 0, 0, 0, 0, 0x10, 0, 0,
	0xb8, 1, 0, 0, 0, 0x31, 0xdb, 0xcd, 0x80, // mov $1, %eax; xor %ebx, %ebx; int $0x80
};

bool kernel_runs_i386(void)
{
	char *no_environment[] = {NULL};
	long image = kernel_limit(RLIMIT_FSIZE) < sizeof exit_program ? 0 : kernel_memory_file();
	if (image <= 0)
		return true;
	struct resolver_command command = {.argv = {(char *)""}, .envp = no_environment, .image = (int)image};
	kernel_write((int)image, exit_program, sizeof exit_program);
	struct ending ending = resolver_process_run(&command);
	kernel_close((int)image);
	return ending.error != ENOEXEC;
}
