// This process to the path of the launcher's own file.
#include "own-path.h"
#include "kernel.h"
#include "text.h"

bool own_path(const struct process *process, char *path)
{
	long length = kernel_readlink("/proc/self/exe", path, PATH_SIZE - 1);
	if (length > 0) {
		path[length] = '\0';
		return true;
	}
	const uintptr_t *started_by = auxiliary_value(&process->auxiliary, AT_EXECFN);
	struct text text = text_in(path, PATH_SIZE);
	if (started_by)
		text_add(&text, (const char *)*started_by);
	return started_by && !text.cut;
}
