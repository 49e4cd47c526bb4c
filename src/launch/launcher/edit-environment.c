// The caller's environment to the one that a plan, or the resolver, wants; entries keep their order.
#include "edit-environment.h"
#include "memory.h"
#include "text.h"

static size_t count_of(char **entries)
{
	size_t count = 0;
	while (entries[count])
		count++;
	return count;
}

static size_t name_length(const char *edit)
{
	size_t length = 0;
	while (edit[length] && edit[length] != '=')
		length++;
	return length;
}

// Does an edit with one of these tags, from `record` on, have the name of this entry?
static bool is_edited(const char *record, const char *entry, const char tags[2])
{
	for (; *record != '.'; record = plan_next(record))
		if (*record == tags[0] || *record == tags[1])
			if (text_has_name(entry, record + 1, name_length(record + 1)))
				return true;
	return false;
}

char **environment_of_plan(const struct process *process, const struct plan *plan)
{
	if (plan->set_count == 0 && plan->drop_count == 0)
		return process->envp;
	char **edited = memory_take((plan->set_count + count_of(process->envp) + 1) * sizeof *edited);
	char **next = edited;
	if (!edited)
		return NULL;
	// First, because nix-ld's search of the environment ends at an entry without `=`.
	for (const char *record = plan->records; *record != '.'; record = plan_next(record))
		if (*record == '+' && !is_edited(plan_next(record), record + 1, "++"))
			*next++ = (char *)record + 1;
	for (char **entry = process->envp; *entry; entry++)
		if (!is_edited(plan->records, *entry, "+-"))
			*next++ = *entry;
	return edited;
}

static bool steers_the_resolver(const char *entry)
{
	return text_after(entry, "LD_") || text_after(entry, "NODE_") || text_after(entry, "NIX_LD") ||
	       text_after(entry, "MALLOC_") || text_after(entry, "GLIBC_TUNABLES=") ||
	       text_after(entry, "ELECTRON_RUN_AS_NODE=");
}

char **environment_of_resolver(const struct process *process)
{
	char **cleaned = memory_take((count_of(process->envp) + 1) * sizeof *cleaned);
	char **next = cleaned;
	if (!cleaned)
		return NULL;
	for (char **entry = process->envp; *entry; entry++)
		if (!steers_the_resolver(*entry))
			*next++ = *entry;
	return cleaned;
}
