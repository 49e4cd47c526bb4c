// The path of a name table → the table, read anew when there is another file.
//
// Another thread may fork at any moment: the new one is whole before it counts, and counts before the old one goes.
#include "kept-table.h"

const struct name_table *kept_table_current(const struct kept_table *kept)
{
	return &kept->each[kept->current].table;
}

struct file_state kept_table_look(struct kept_table *kept, const char *path, const struct table_kind *kind)
{
	struct file_state state = own_file_state(path);
	struct read_table *old = &kept->each[kept->current], *new = &kept->each[1 - kept->current];
	if (file_state_equal(&state, &old->state))
		return state;
	new->file = own_file_open(path, kind->most, kind->how);
	new->state = state;
	new->table = name_table_of(&new->file, kind->machine);
	__atomic_store_n(&kept->current, 1 - kept->current, __ATOMIC_RELEASE);
	own_file_close(&old->file);
	return state;
}
