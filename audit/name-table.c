// The bytes of a name table (NAME-TABLE.md) → what it says of a name.
#include "name-table.h"
#include "words.h"

struct header {
	char magic[8];
	uint32_t format, size, count, bucket_bits, machine, reserved;
	uint64_t catalogue;
};
_Static_assert(sizeof(struct header) == 40, "header of a name table");

struct entry {
	uint32_t hash, name;
};

enum { FORMAT = 1, MOST_BUCKET_BITS = 24 };

static const char magic[] = "NRFNAMES";

static uint64_t strings_begin(const struct header *header)
{
	uint64_t buckets = ((uint64_t)1 << header->bucket_bits) + 1;
	return sizeof *header + 4 * buckets + sizeof(struct entry) * (uint64_t)header->count;
}

static bool holds(const struct header *header, size_t size, uint32_t machine)
{
	for (int i = 0; i < 8; i++)
		if (header->magic[i] != magic[i])
			return false;
	return header->format == FORMAT && header->size == size && header->bucket_bits <= MOST_BUCKET_BITS &&
	       header->machine == machine && strings_begin(header) <= size && ((const char *)header)[size - 1] == '\0';
}

struct name_table name_table_of(const struct own_file *file, uint32_t machine)
{
	struct name_table table = {.bytes = NULL};
	const struct header *header = (const struct header *)file->bytes;
	if (!header || file->size < sizeof *header || file->size > UINT32_MAX || !holds(header, file->size, machine))
		return table;
	table.bytes = file->bytes;
	table.size = header->size;
	table.count = header->count;
	table.bucket_bits = header->bucket_bits;
	table.catalogue = header->catalogue;
	return table;
}

// 32-bit FNV-1a.
static uint32_t hash_of(const char *name)
{
	uint32_t hash = 0x811c9dc5;
	for (; *name; name++)
		hash = (hash ^ (unsigned char)*name) * 0x01000193;
	return hash;
}

// The last byte of the table is NUL, so a comparison that begins within it ends within it.
static const char *value_at(const struct name_table *table, uint32_t offset, const char *name)
{
	if (offset >= table->size)
		return NULL;
	const char *entry = table->bytes + offset;
	if (!word_equal(entry, name))
		return NULL;
	uint32_t value = offset + (uint32_t)word_length(entry) + 1;
	return value < table->size ? table->bytes + value : NULL;
}

const char *name_table_find(const struct name_table *table, const char *name)
{
	if (!table->bytes)
		return NULL;
	uint32_t hash = hash_of(name);
	uint32_t bucket = table->bucket_bits ? hash >> (32 - table->bucket_bits) : 0;
	const uint32_t *first = (const uint32_t *)(table->bytes + sizeof(struct header));
	const struct entry *entries = (const struct entry *)(first + ((size_t)1 << table->bucket_bits) + 1);
	uint32_t end = first[bucket + 1] < table->count ? first[bucket + 1] : table->count;
	for (uint32_t i = first[bucket]; i < end && entries[i].hash <= hash; i++) {
		const char *value = entries[i].hash == hash ? value_at(table, entries[i].name, name) : NULL;
		if (value)
			return value;
	}
	return NULL;
}
