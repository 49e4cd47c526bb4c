// The caller's environment to the one that a plan, or the resolver, wants; entries keep their order.
#include "edit-environment.h"
#include "kernel.h"
#include "memory.h"
#include "own-path.h"
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

// Does an edit with one of these tags, from `record` on, have the name that `edit` begins with?
static bool is_edited(const char *record, const char *edit, const char *tags)
{
	size_t length = name_length(edit);
	for (; *record != '.'; record = plan_next(record))
		for (const char *tag = tags; *tag; tag++)
			if (*record == *tag && name_length(record + 1) == length && text_begins(record + 1, edit, length))
				return true;
	return false;
}

// An entry without `=` has no name.
static bool is_edited_entry(const char *record, const char *entry)
{
	return entry[name_length(entry)] == '=' && is_edited(record, entry, "+Ncv-");
}

static char *entry_of(const char *name, const char *value)
{
	size_t size = text_length(name) + 1 + text_length(value) + 1;
	char *bytes = memory_take(size);
	if (!bytes)
		return NULL;
	struct text text = text_in(bytes, size);
	text_add(&text, name);
	text_add(&text, "=");
	text_add(&text, value);
	return bytes;
}

// NAME=<path of this very file>, for a nix-ld that shall enter it as the loader.
static char *entry_of_launcher(const struct process *process, const char *name)
{
	char path[PATH_SIZE];
	return own_path(process, path) ? entry_of(name, path) : NULL;
}

// NAME=<working directory>, or NAME= in one that is gone.
static char *entry_of_directory(const char *name)
{
	char path[PATH_SIZE];
	return entry_of(name, kernel_getcwd(path, sizeof path) > 0 && path[0] == '/' ? path : "");
}

static const char setting_tags[] = "+Ncv";

static bool sets(const char *record)
{
	return *record == '+' || *record == 'N' || *record == 'c' || *record == 'v';
}

static char *entry_of_record(const struct process *process, const char *record, const char *argv0)
{
	switch (*record) {
	case 'N':
		return entry_of_launcher(process, record + 1);
	case 'c':
		return entry_of_directory(record + 1);
	case 'v':
		return entry_of(record + 1, argv0);
	default:
		return (char *)record + 1;
	}
}

char **environment_of_plan(const struct process *process, const struct plan *plan, const char *argv0)
{
	if (plan->set_count == 0 && plan->drop_count == 0)
		return process->envp;
	char **edited = memory_take((plan->set_count + count_of(process->envp) + 1) * sizeof *edited);
	char **next = edited;
	if (!edited)
		return NULL;
	// First, because nix-ld's search of the environment ends at an entry without `=`.
	for (const char *record = plan->records; *record != '.'; record = plan_next(record))
		if (sets(record) && !is_edited(plan_next(record), record + 1, setting_tags)) {
			*next = entry_of_record(process, record, argv0);
			if (!*next++)
				return NULL;
		}
	for (char **entry = process->envp; *entry; entry++)
		if (!is_edited_entry(plan->records, *entry))
			*next++ = *entry;
	*next = NULL;
	return edited;
}

static bool steers_the_resolver(const char *entry)
{
	return text_after(entry, "LD_") || text_after(entry, "NODE_") || text_after(entry, "NIX_LD") ||
	       text_after(entry, "MALLOC_") || text_after(entry, "GLIBC_TUNABLES=") ||
	       text_after(entry, "ELECTRON_RUN_AS_NODE=") ||
	       text_after(entry, RESOLVER_MARK "=");
}

// The user's library path must not steer Node, but `explain` tells what it would hide: so it goes by another name.
static char *renamed_library_path(const char *entry)
{
	static const char prefix[] = "NIX_RUN_FOREIGN_";
	if (!text_after(entry, "LD_LIBRARY_PATH="))
		return NULL;
	size_t size = sizeof prefix + text_length(entry);
	char *bytes = memory_take(size);
	if (!bytes)
		return NULL;
	struct text text = text_in(bytes, size);
	text_add(&text, prefix);
	text_add(&text, entry);
	return bytes;
}

char **environment_of_resolver(const struct process *process)
{
	char **cleaned = memory_take((count_of(process->envp) + 2) * sizeof *cleaned);
	char **next = cleaned;
	if (!cleaned)
		return NULL;
	for (char **entry = process->envp; *entry; entry++) {
		*next = steers_the_resolver(*entry) ? renamed_library_path(*entry) : *entry;
		if (*next)
			next++;
	}
	*next++ = (char *)RESOLVER_MARK "=1";
	*next = NULL;
	return cleaned;
}
