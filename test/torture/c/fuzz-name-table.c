// The bytes of a name table → what is found in it, always within its bytes.
#include "hosted.h"

#include "name-table.h"

static void find(const struct name_table *table, const char *name)
{
	const char *value = name_table_find(table, name);
	if (!value)
		return;
	hosted_expect(value > table->bytes && value < table->bytes + table->size);
	hosted_expect(value + text_length(value) < table->bytes + table->size);
}

// Names that are in it, as its last strings are.
static void find_own(const struct name_table *table)
{
	const char *end = table->bytes + table->size - 1;
	for (int i = 0; i < 16 && end > table->bytes; i++) {
		const char *name = end;
		while (name > table->bytes && name[-1])
			name--;
		find(table, name);
		end = name - 1;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static const char names[] = "libz.so.1\0libstdc++.so.6\0libssl.so.3\0libname-7.so\0x\0";
	struct own_file file = {.bytes = size ? hosted_copy(bytes, size) : NULL, .size = size};
	struct name_table tables[] = {name_table_of(&file, ANY_MACHINE), name_table_of(&file, 62)};
	for (size_t i = 0; i < 2; i++) {
		for (const char *name = names; *name; name += text_length(name) + 1)
			find(&tables[i], name);
		if (tables[i].bytes)
			find_own(&tables[i]);
	}
	hosted_release();
	return 0;
}
