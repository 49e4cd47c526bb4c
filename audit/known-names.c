// A name that ld.so has not found → the path of a file, or to nothing: what is known, and what is asked for.
#include "known-names.h"
#include "kept-table.h"
#include "link-names.h"
#include "module-kernel.h"
#include "words.h"

enum { MOST_ASKED = 64, LONGEST_NAME = 255 };
enum { TRUSTED_FOR = 100000000 }; // nanoseconds

// Answers are few: they are copied, so that nothing that happens to the file later matters.
static const struct table_kind of_answers = {1 << 20, COPIED, ANY_MACHINE};
// The soname table is mapped, so it must not be looked at when the file was shortened: that would end the process.
static const struct table_kind of_sonames = {1 << 28, MAPPED, ARCH_ELF_MACHINE};

static struct {
	const char *directory;
	bool has_begun, has_read_answers;
	struct run_time_settings settings;
	struct kernel_time looked;
	struct kept_table answers, table;
	bool is_stale, has_doubted;
	int asked_count;
	uint64_t asked[MOST_ASKED];
	char *path; // room for one; a thread's stack may be small, and a start shall not pay for it
} known;

static const char *beside_module(const char *name)
{
	return word_join(known.path, PATH_SIZE, known.directory, name) ? known.path : "";
}

void known_names_begin(const char *directory)
{
	known.directory = directory;
}

// Whole before they count: another thread may fork at any moment.
const struct run_time_settings *known_names_settings(void)
{
	if (known.has_begun)
		return &known.settings;
	long room = kernel_map_memory(PATH_SIZE, MAP_PRIVATE);
	if (!is_kernel_error(room)) {
		known.path = (char *)room;
		known.settings = run_time_settings_read(beside_module("/settings"));
	}
	__atomic_store_n(&known.has_begun, true, __ATOMIC_RELEASE);
	return &known.settings;
}

static void read_answers(void)
{
	kept_table_look(&known.answers, beside_module("/answers"), &of_answers);
}

// A program may look for a thousand names in a row, and stat(2) costs more than all the rest.
static bool is_time_to_look(void)
{
	struct kernel_time now = {0, 0};
	if (kernel_clock(&now) < 0)
		return true;
	int64_t passed = (now.seconds - known.looked.seconds) * 1000000000 + now.nanoseconds - known.looked.nanoseconds;
	if (passed >= 0 && passed < TRUSTED_FOR)
		return false;
	known.looked = now;
	return true;
}

// Something came to the store, or left it, after the table was made or looked over by a resolver.
static bool is_store_newer(const struct file_state *table)
{
	const char *record = settings_next(known.settings.file.bytes);
	for (; record[0] != '.'; record = settings_next(record))
		if (record[0] == 'S') { // the first is the store
			struct file_state store = own_file_state(record + 1);
			return store.changed_seconds > table->changed_seconds ||
			       (store.changed_seconds == table->changed_seconds &&
				store.changed_nanoseconds > table->changed_nanoseconds);
		}
	return false;
}

static bool is_in_store(const char *name)
{
	const char *path = known.settings.table;
	if (!path)
		return false;
	if (is_time_to_look()) {
		struct file_state now = kept_table_look(&known.table, path, &of_sonames);
		known.is_stale = now.inode != 0 && is_store_newer(&now);
	}
	return name_table_find(kept_table_current(&known.table), name) != NULL;
}

static bool is_in_directory(const char *directory, const char *name)
{
	size_t length = word_length(directory) + 1;
	return word_join(known.path, PATH_SIZE, directory, "/") &&
	       word_join(known.path + length, PATH_SIZE - length, name, "") &&
	       kernel_access(known.path, ACCESS_EXISTS) == 0;
}

// ld.so finds it itself, in this default directory or another that it has not come to yet.
static bool is_in_default_directory(const char *searched, const char *name)
{
	if (kernel_access(searched, ACCESS_EXISTS) == 0)
		return true;
	const char *record = settings_next(known.settings.file.bytes);
	for (; record[0] != '.'; record = settings_next(record))
		if (record[0] == 'D' && is_in_directory(record + 1, name))
			return true;
	return false;
}

static bool was_asked(const char *name)
{
	uint64_t hash = word_hash(name);
	for (int i = 0; i < known.asked_count; i++)
		if (known.asked[i] == hash)
			return true;
	return known.asked_count == MOST_ASKED;
}

enum verdict { UNKNOWN, ABSENT, ANSWERED };

// What cannot be had is so for one state of the catalogue; what was found stays.
static enum verdict look_up(const char *name, const char **path)
{
	const struct name_table *answers = kept_table_current(&known.answers), *table = kept_table_current(&known.table);
	const char *value = name_table_find(answers, name);
	if (!value)
		return UNKNOWN;
	*path = value;
	if (value[0] == '/')
		return ANSWERED;
	return !table->bytes || answers->catalogue == table->catalogue ? ABSENT : UNKNOWN;
}

static enum verdict ask(const struct question *question, const char **path)
{
	if (was_asked(question->name) || !resolver_run(&known.settings, question))
		return ABSENT;
	known.looked = (struct kernel_time){0, 0}; // the resolver may have written the table anew
	known.asked[known.asked_count++] = word_hash(question->name);
	read_answers();
	return look_up(question->name, path);
}

static const char *decide(const struct question *question, const char *searched)
{
	const char *path = NULL;
	enum verdict verdict = look_up(question->name, &path);
	bool listed = verdict == ANSWERED || is_in_store(question->name);
	// Of a table that may be out of date one name is asked for, whatever it is: then the table is looked over.
	bool doubtful = !listed && known.is_stale && !known.has_doubted;
	if (!listed && !doubtful)
		return NULL;
	if (verdict != ANSWERED) { // another process may have asked in the meantime
		read_answers();
		verdict = look_up(question->name, &path);
	}
	if (verdict == ABSENT || is_in_default_directory(searched, question->name))
		return NULL;
	known.has_doubted |= doubtful;
	if (verdict == UNKNOWN)
		verdict = ask(question, &path);
	return verdict == ANSWERED ? path : NULL;
}

// Only the loader's own libc can serve these, and nearly every start looks for some: nothing is read for them. One
// string after the other, since each pointer would be a relocation.
static bool is_of_libc(const char *name)
{
	static const char names[] = "libc.so.6\0libm.so.6\0libdl.so.2\0libpthread.so.0\0librt.so.1\0libresolv.so.2\0"
				    "libutil.so.1\0libanl.so.1\0libmvec.so.1\0libBrokenLocale.so.1\0libthread_db.so.1\0";
	for (const char *each = names; *each; each += word_length(each) + 1)
		if (word_equal(each, name))
			return true;
	return word_after(name, "ld-linux") != NULL;
}

static bool can_answer(void)
{
	if (!known_names_settings()->file.bytes)
		return false;
	if (!known.has_read_answers)
		read_answers();
	__atomic_store_n(&known.has_read_answers, true, __ATOMIC_RELEASE);
	return true;
}

// `/usr/lib/NAME`, `/lib64/NAME`, `/usr/lib/x86_64-linux-gnu/NAME`: at most one directory more, of Debian's kind.
static const char *name_in_usual_place(const char *path)
{
	static const char places[] = "/usr/lib/\0/usr/lib64/\0/lib/\0/lib64/\0";
	const char *name = word_base_name(path);
	for (const char *place = places; *place; place += word_length(place) + 1) {
		const char *rest = word_after(path, place);
		if (rest == name)
			return name;
		for (const char *at = rest; at && at < name; at++)
			if (*at == '/')
				return at + 1 == name && word_ends_with(rest, (size_t)(at - rest), "-linux-gnu") ? name : NULL;
	}
	return NULL;
}

const char *known_names_instead_of(const char *path)
{
	const char *name = name_in_usual_place(path), *answer;
	if (!name || !name[0] || kernel_access(path, ACCESS_EXISTS) != -ENOENT)
		return NULL;
	if (is_of_libc(name))
		return name;
	if (!can_answer())
		return NULL;
	return look_up(name, &answer) == ANSWERED || is_in_store(name) ? name : NULL;
}

const char *known_names_answer(const char *searched, const char *requester)
{
	const struct question question = {.name = word_base_name(searched), .requester = requester};
	if (is_of_libc(question.name) || !can_answer())
		return NULL;
	if (!question.name[0] || word_length(question.name) > LONGEST_NAME)
		return NULL;
	const char *path = decide(&question, searched);
	return path ? lasting_answer(path) : NULL;
}

const char *known_names_absolute(const char *path)
{
	if (path[0] == '/')
		return path;
	while (path[0] == '.' && path[1] == '/')
		path += 2;
	long size = kernel_getcwd(known.path, PATH_SIZE - 1);
	if (size <= 1 || known.path[0] != '/') // gone, or outside what the process sees (getcwd(2))
		return "";
	size_t length = (size_t)size - 1;
	if (known.path[length - 1] != '/')
		known.path[length++] = '/';
	return word_join(known.path + length, PATH_SIZE - length, path, "") ? known.path : "";
}

void known_names_refused(const char *path)
{
	path = known_names_absolute(path);
	const struct question question = {.name = path, .requester = path};
	const struct run_time_settings *settings = known_names_settings();
	if (!path[0] || !kernel_is_terminal(STANDARD_ERROR) || was_asked(path) || !resolver_run(settings, &question))
		return;
	known.asked[known.asked_count++] = word_hash(path);
	known.looked = (struct kernel_time){0, 0};
}
