// The launcher's own file → the script of the package that it lies in, and the Node that runs it.
//
// In a package the launcher is DIST/SYSTEM/nix-run-foreign, the script DIST/nix-foreign.cjs, and DIST/node may be a
// link to the Node that the package was installed with.
#include "launch.h"

extern const char own_image[] __asm__("__ehdr_start") __attribute__((visibility("hidden")));

// A process that was just started has few mappings, and what reads them goes on as its program: it keeps that memory.
enum { LARGEST_TABLE = 4 * 1024 * 1024, LARGEST_MAPS = 256 * 1024 };

static const char script_name[] = "/nix-foreign.cjs", node_name[] = "/node";

static char *read_table(const char *path, size_t size)
{
	long fd = kernel_open(AT_CWD, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	char *bytes = read_whole_file((int)fd, &size);
	kernel_close((int)fd);
	return bytes;
}

// Cuts the line off; returns what follows it.
static char *cut_line(char *line)
{
	while (*line && *line != '\n')
		line++;
	if (*line)
		*line++ = '\0';
	return line;
}

static uintptr_t read_hexadecimal(const char **at)
{
	uintptr_t number = 0;
	for (;; (*at)++) {
		char byte = **at;
		uintptr_t digit = byte >= '0' && byte <= '9'   ? (uintptr_t)(byte - '0')
				  : byte >= 'a' && byte <= 'f' ? (uintptr_t)(byte - 'a' + 10)
							       : 16;
		if (digit > 15)
			return number;
		number = number << 4 | digit;
	}
}

// Lines of `START-END MODE OFFSET DEVICE INODE PATH` (proc(5)).
const char *path_mapped_at(uintptr_t address)
{
	char *line = read_table("/proc/self/maps", LARGEST_MAPS);
	for (char *next; line && *line; line = next) {
		next = cut_line(line);
		const char *at = line;
		uintptr_t first = read_hexadecimal(&at), end = *at++ == '-' ? read_hexadecimal(&at) : 0;
		if (address < first || address >= end)
			continue;
		while (*at && *at != '/')
			at++;
		return *at ? at : NULL;
	}
	return NULL;
}

// As an interpreter /proc/self/exe is the program.
static const char *own_path(const struct process *process)
{
	if (process->role == ROLE_INTERPRETER)
		return path_mapped_at((uintptr_t)own_image);
	char *path = memory_take(PATH_SIZE);
	return path && launcher_path(process, path) ? path : NULL;
}

// The directory of the directory of `path`, with `name` behind; NULL where no such file is there.
static char *beside_directory(const char *path, const char *name)
{
	char *bytes = memory_take(PATH_SIZE);
	size_t length = text_length(path);
	for (int level = 0; level < 2; level++)
		while (length > 0 && path[--length] != '/')
			;
	if (!bytes || length == 0)
		return NULL;
	struct text text = text_in(bytes, PATH_SIZE);
	text_add_bytes(&text, path, length);
	text_add(&text, name);
	return !text.cut && kernel_access(bytes, ACCESS_EXISTS) == 0 ? bytes : NULL;
}

enum { MOUNT_FIELDS = 5 };
enum mount_field { MOUNT_DEVICE = 2, MOUNT_ROOT = 3, MOUNT_POINT = 4 };

static bool is_octal(char digit)
{
	return digit >= '0' && digit <= '7';
}

// Blanks, line ends and backslashes are `\040` and so on there (fs/proc_namespace.c, mangle).
static void unescape(char *field)
{
	char *to = field;
	for (const char *from = field; *from;) {
		bool is_escaped = from[0] == '\\' && is_octal(from[1]) && is_octal(from[2]) && is_octal(from[3]);
		*to++ = is_escaped ? (char)((from[1] - '0') << 6 | (from[2] - '0') << 3 | (from[3] - '0')) : *from;
		from += is_escaped ? 4 : 1;
	}
	*to = '\0';
}

// `ID PARENT DEVICE ROOT POINT ...`, ROOT being the path within the file system (proc(5), /proc/pid/mountinfo).
static bool read_mount(char *line, char *fields[MOUNT_FIELDS])
{
	for (int i = 0; i < MOUNT_FIELDS; i++) {
		fields[i] = line;
		while (*line && *line != ' ')
			line++;
		if (!*line)
			return false;
		*line++ = '\0';
		unescape(fields[i]);
	}
	return true;
}

bool is_same_file(const char *one, const char *other)
{
	struct kernel_stat left, right;
	return kernel_stat_path(one, &left, 0) == 0 && kernel_stat_path(other, &right, 0) == 0 &&
	       left.st_ino == right.st_ino && left.st_dev == right.st_dev;
}

// Where another mount of that file system shows the file that lies over `covered`.
static const char *path_by_mount(char *const file[MOUNT_FIELDS], char *const mount[MOUNT_FIELDS], const char *covered)
{
	const char *root = text_equal(mount[MOUNT_ROOT], "/") ? "" : mount[MOUNT_ROOT];
	const char *point = text_equal(mount[MOUNT_POINT], "/") ? "" : mount[MOUNT_POINT];
	const char *rest = text_after(file[MOUNT_ROOT], root);
	char *path = memory_take(PATH_SIZE);
	if (!text_equal(mount[MOUNT_DEVICE], file[MOUNT_DEVICE]) || !rest || *rest != '/' || !path)
		return NULL;
	struct text text = text_in(path, PATH_SIZE);
	text_add(&text, point);
	text_add(&text, rest);
	return !text.cut && is_same_file(path, covered) ? path : NULL;
}

// In a namespace the launcher lies over an interpreter path: the table of mounts says which file that is.
static const char *path_without_cover(const char *covered)
{
	char *file[MOUNT_FIELDS] = {0}, *mount[MOUNT_FIELDS];
	static const char table[] = "/proc/self/mountinfo";
	char *line = read_table(table, LARGEST_TABLE), *again = read_table(table, LARGEST_TABLE);
	for (char *next; line && *line; line = next) {
		next = cut_line(line);
		if (read_mount(line, mount) && text_equal(mount[MOUNT_POINT], covered))
			for (int i = 0; i < MOUNT_FIELDS; i++)
				file[i] = mount[i];
	}
	for (char *next; file[0] && again && *again; again = next) {
		next = cut_line(again);
		const char *path = read_mount(again, mount) ? path_by_mount(file, mount, covered) : NULL;
		if (path && !text_equal(path, covered))
			return path;
	}
	return NULL;
}

static const char *absolute_on_path(const struct process *process)
{
	const char *found;
	return program_find(process, "node", &found) == 0 && found[0] == '/' ? found : NULL;
}

// For whoever starts without PATH.
static const char *at_usual_place(void)
{
	static const char places[] =
		"/usr/local/bin/node\0/usr/bin/node\0/run/current-system/sw/bin/node\0";
	for (const char *place = places; *place; place = plan_next(place))
		if (kernel_access(place, ACCESS_EXISTS) == 0)
			return place;
	return NULL;
}

static const char *find_node(const struct process *process, const char *own)
{
	const char *node = beside_directory(own, node_name);
	if (!node)
		node = absolute_on_path(process);
	if (!node) // of npm's own prefix: PREFIX/lib/node_modules/nix-run-foreign/dist
		node = beside_directory(own, "/../../../../bin/node");
	return node ? node : at_usual_place();
}

struct resolver_files resolver_files_find(const struct process *process)
{
	if (sizeof RESOLVER_SCRIPT > 1)
		return (struct resolver_files){.node = RESOLVER_NODE, .script = RESOLVER_SCRIPT};
	const char *own = own_path(process);
	const char *script = own ? beside_directory(own, script_name) : NULL;
	if (own && !script) {
		own = path_without_cover(own);
		script = own ? beside_directory(own, script_name) : NULL;
	}
	if (!script)
		return (struct resolver_files){
			.why_not = "this launcher lies outside of its package, so its resolver cannot be found",
			.remedy = "make a link to it instead of a copy, or name a nix-foreign in NIX_RUN_FOREIGN_RESOLVER"};
	return (struct resolver_files){.node = find_node(process, own),
				       .script = script,
				       .why_not = "there is no Node, which finds the libraries of a program at its first start",
				       .remedy = "install Node 24 or newer, so that node is on PATH"};
}
