// A name → the file that execvp(3) would start, its real path and its identity.
#include "elf.h"
#include "plan.h"

enum { FOUND_SIZE = PATH_SIZE + NAME_SIZE + 2 };

static bool has_slash(const char *name)
{
	while (*name)
		if (*name++ == '/')
			return true;
	return false;
}

// execve(2) answers EACCES for anything but an executable regular file; so does this.
long program_why_not_startable(const char *path)
{
	struct kernel_stat status;
	long failed = kernel_stat_path(path, &status, 0);
	if (failed < 0)
		return failed;
	if ((status.st_mode & S_IFMT) != S_IFREG)
		return -EACCES;
	return kernel_access(path, ACCESS_EXECUTE);
}

// The errors after which execvp goes on to the next element; any other ends the search.
static bool goes_on_after(long failed)
{
	return failed == -ENOENT || failed == -ESTALE || failed == -ENOTDIR || failed == -ENODEV ||
	       failed == -ETIMEDOUT || failed == -EACCES;
}

static long search_path(const char *path, const char *name, char *found)
{
	bool denied = false;
	for (const char *element = path;; element++) {
		size_t length = 0;
		while (element[length] && element[length] != ':')
			length++;
		if (length < PATH_SIZE) { // as glibc: a longer element is passed over
			struct text text = text_in(found, FOUND_SIZE);
			text_add_bytes(&text, element, length);
			text_add(&text, length ? "/" : ""); // an empty element is the working directory
			text_add(&text, name);
			long failed = program_why_not_startable(found);
			if (failed == 0 || !goes_on_after(failed))
				return failed;
			denied |= failed == -EACCES;
		}
		element += length;
		if (!*element)
			return denied ? -EACCES : -ENOENT;
	}
}

long program_find(const struct process *process, const char *name, const char **found)
{
	size_t length = text_length(name);
	*found = NULL;
	if (length == 0)
		return -ENOENT;
	if (has_slash(name)) {
		*found = name;
		return length < PATH_SIZE ? 0 : -ENAMETOOLONG;
	}
	if (length >= NAME_SIZE)
		return -ENAMETOOLONG;
	const char *path = process_variable(process, "PATH");
	char *bytes = memory_take(FOUND_SIZE);
	if (!bytes)
		return -ENOMEM;
	long failed = search_path(path ? path : "/bin:/usr/bin", name, bytes);
	if (failed == 0)
		*found = bytes;
	return failed;
}

// btrfs, ZFS, NFS, overlay: their device has no major number, and the number is given anew with each mount (fs/super.c,
// get_anon_bdev). A plan outlives a boot.
static uint64_t lasting_device(uint64_t device)
{
	enum { MAJOR = 0xfff00 }; // include/linux/kdev_t.h, new_encode_dev
	return device & MAJOR ? device : 0;
}

void identity_text(const struct kernel_stat *status, char *into)
{
	struct text text = text_in(into, IDENTITY_SIZE);
	text_add_unsigned(&text, lasting_device(status->st_dev));
	text_add(&text, ":");
	text_add_unsigned(&text, status->st_ino);
	text_add(&text, ":");
	text_add_signed(&text, status->st_size);
	text_add(&text, ":");
	text_add_signed(&text, status->st_mtime);
	text_add(&text, ".");
	text_add_signed(&text, status->st_mtime_nsec);
	text_add(&text, ":");
	text_add_signed(&text, status->st_ctime);
	text_add(&text, ".");
	text_add_signed(&text, status->st_ctime_nsec);
}

static bool read_link(const char *link, char *real_path)
{
	long length = kernel_readlink(link, real_path, PATH_SIZE - 1);
	if (length <= 0 || length >= PATH_SIZE - 1)
		return false;
	real_path[length] = '\0';
	return real_path[0] == '/';
}

static bool read_link_of(int fd, char *real_path)
{
	char link[40];
	struct text text = text_in(link, sizeof link);
	text_add(&text, "/proc/self/fd/");
	text_add_unsigned(&text, (uint64_t)fd);
	return read_link(link, real_path);
}

// Without /proc symbolic links stay as they are.
long program_make_absolute(const char *path, char *real_path)
{
	if (path == real_path) // identified again, by what it was identified as
		return 0;
	struct text text = text_in(real_path, PATH_SIZE);
	if (path[0] != '/') {
		long failed = kernel_getcwd(real_path, PATH_SIZE);
		if (failed < 0)
			return failed;
		if (real_path[0] != '/') // "(unreachable)/..."
			return -ENOENT;
		text.used = text_length(real_path);
		if (text.used > 1)
			text_add(&text, "/");
		while (text_after(path, "./"))
			path += 2;
	}
	text_add(&text, path);
	return text.cut ? -ENAMETOOLONG : 0;
}

long program_identify(struct program *program)
{
	program->is_running = false;
	long fd = kernel_open(AT_CWD, program->found, O_PATH | O_CLOEXEC);
	if (fd < 0)
		return fd;
	struct kernel_stat status;
	long failed = kernel_fstat((int)fd, &status);
	if (failed == 0 && (status.st_mode & S_IFMT) != S_IFREG)
		failed = -EACCES;
	if (failed == 0) {
		identity_text(&status, program->identity);
		if (!read_link_of((int)fd, program->real_path))
			failed = program_make_absolute(program->found, program->real_path);
	}
	kernel_close((int)fd);
	return failed;
}

// Both answers are of one file, for the link never changes (proc(5), /proc/pid/exe). It is opened, not only asked for,
// since emulators give their own file otherwise (qemu, linux-user/syscall.c, do_openat).
long program_identify_running(struct program *program)
{
	static const char self[] = "/proc/self/exe";
	struct kernel_stat status;
	long fd = kernel_open(AT_CWD, self, O_PATH | O_CLOEXEC);
	if (fd < 0)
		return fd;
	long failed = kernel_fstat((int)fd, &status);
	kernel_close((int)fd);
	if (failed < 0)
		return failed;
	program->is_running = true;
	identity_text(&status, program->identity);
	return read_link(self, program->real_path) ? 0 : -ENAMETOOLONG;
}

long program_identify_again(struct program *program)
{
	return program->is_running ? program_identify_running(program) : program_identify(program);
}

bool launcher_path(const struct process *process, char *path)
{
	long length = kernel_readlink("/proc/self/exe", path, PATH_SIZE - 1);
	if (length > 0) {
		path[length] = '\0';
		return true;
	}
	const char *executed = executed_path(process);
	return executed && program_make_absolute(executed, path) == 0;
}

// AT_EXECFN is what was named to execve(2), in front of which the kernel may have put the one that it executes: then
// that is argv[0] (fs/binfmt_script.c, fs/binfmt_misc.c).
const char *executed_path(const struct process *process)
{
	const uintptr_t *named = auxiliary_value(&process->auxiliary, AT_EXECFN);
	if (!named)
		return NULL;
	const char *path = (const char *)*named;
	bool is_given = process_is_called_by_binfmt(process) || program_kind_of(path).format == FORMAT_SCRIPT;
	return is_given && process->argc > 0 ? process->argv[0] : path;
}

// What the kernel adds to the path of a file without a name (proc(5), /proc/pid/exe; memfd_create(2)).
bool program_is_nameless(const struct program *program)
{
	static const char ending[] = " (deleted)";
	size_t length = text_length(program->real_path);
	if (length < sizeof ending - 1 || !text_equal(program->real_path + length - (sizeof ending - 1), ending))
		return false;
	char identity[IDENTITY_SIZE];
	struct kernel_stat status;
	if (kernel_stat_path(program->real_path, &status, 0) < 0)
		return true;
	identity_text(&status, identity);
	return !text_equal(identity, program->identity); // a file can be called that
}

struct elf_file {
	int fd;
	const struct elf_layout *layout;
	const char *head;
	size_t size; // bytes in `head`
};

// The program header of the first segment of that type, or NULL.
static const char *find_segment(const struct elf_file *file, uint32_t type)
{
	const struct elf_layout *layout = file->layout;
	size_t each = number_at(file->head + layout->phentsize, 2), count = number_at(file->head + layout->phnum, 2);
	const char *segment = file->head + number_at(file->head + layout->phoff, layout->word);
	for (; count--; segment += each)
		if (number_at(segment, 4) == type)
			return segment;
	return NULL;
}

// The bytes of a segment of at most `most`, or NULL. `size` becomes their number.
static const char *map_contents(const struct elf_file *file, const char *segment, size_t most, size_t *size)
{
	enum { PAGE = 64 * 1024 }; // the largest there is
	struct kernel_stat status;
	uint64_t offset = number_at(segment + file->layout->offset, file->layout->word);
	*size = number_at(segment + file->layout->filesz, file->layout->word);
	if (*size == 0 || *size > most || kernel_fstat(file->fd, &status) < 0 || offset > (uint64_t)status.st_size ||
	    *size > (uint64_t)status.st_size - offset)
		return NULL;
	size_t skipped = offset % PAGE;
	long mapped = kernel_map(0, skipped + *size, PROT_READ, MAP_PRIVATE, file->fd, offset - skipped);
	return is_kernel_error(mapped) ? NULL : (const char *)mapped + skipped;
}

// Linkers mark position-independent programs; a shared library has no mark.
static bool is_marked_as_program(const struct elf_file *file, const char *dynamic)
{
	enum { LARGEST_TABLE = 64 * 1024 };
	size_t size = 0, word = file->layout->word;
	const char *entry = map_contents(file, dynamic, LARGEST_TABLE, &size);
	for (; entry && size >= 2 * word; entry += 2 * word, size -= 2 * word)
		if (number_at(entry, word) == DT_FLAGS_1)
			return number_at(entry + word, word) & DF_1_PIE;
	return false;
}

static bool is_odd_interpreter(const struct elf_file *file, const char *segment)
{
	size_t size = 0;
	const char *name = map_contents(file, segment, PATH_SIZE, &size);
	bool odd = name && name[0] != '/';
	for (size_t i = 0; name && i < size && name[i]; i++)
		odd |= (unsigned char)name[i] < ' ' || name[i] == 0x7f;
	return odd;
}

// What UPX packed has no section headers, and its mark in the bytes that src/elf/packed.ts reads.
static bool is_packed_by_upx(const struct elf_file *file)
{
	enum { MARK = 0x21585055, MARKED = 1024 };
	if (number_at(file->head + file->layout->phnum + 4, 2) != 0) // e_shnum
		return false;
	for (size_t at = 0; at + 4 <= file->size && at + 4 <= MARKED; at += 4)
		if (number_at(file->head + at, 4) == MARK)
			return true;
	return false;
}

static enum program_format format_of(const struct elf_file *file)
{
	const char *interpreter = find_segment(file, PT_INTERP), *dynamic = find_segment(file, PT_DYNAMIC);
	if (interpreter)
		return is_odd_interpreter(file, interpreter) ? FORMAT_ODD_INTERPRETER : FORMAT_DYNAMIC;
	if (number_at(file->head + file->layout->entry, file->layout->word) == 0)
		return FORMAT_UNKNOWN;
	if (number_at(file->head + 16, 2) == ET_DYN && dynamic && !is_marked_as_program(file, dynamic))
		return FORMAT_UNKNOWN;
	if (is_packed_by_upx(file)) // what it unpacks may name a loader
		return FORMAT_UNKNOWN;
	return FORMAT_STATIC;
}

// Is it a little-endian ELF program or library that may be for this kernel?
static bool is_for_this_kernel(struct elf_file *file)
{
	file->layout = elf_layout_of(file->head, file->size);
	if (!file->layout || (file->head[8] == 'A' && file->head[9] == 'I')) // an AppImage
		return false;
	const struct elf_layout *layout = file->layout;
	uint64_t type = number_at(file->head + 16, 2), machine = number_at(file->head + 18, 2);
	bool is_ours = layout->word == sizeof(uintptr_t) ? machine == ARCH_ELF_MACHINE
							 : ARCH_RUNS_I386 && machine == EM_386 && layout->word == 4;
	return is_ours && (type == ET_EXEC || type == ET_DYN) &&
	       number_at(file->head + layout->phentsize, 2) == layout->segment;
}

static bool has_all_headers(const struct elf_file *file)
{
	const struct elf_layout *layout = file->layout;
	uint64_t start = number_at(file->head + layout->phoff, layout->word);
	uint64_t size = layout->segment * number_at(file->head + layout->phnum, 2);
	return start <= file->size && size <= file->size - start;
}

// Is it such a file with all of its program headers in the head?
static bool read_elf_header(struct elf_file *file)
{
	return is_for_this_kernel(file) && has_all_headers(file);
}

// Opens the file and reads its first bytes. False where that cannot be; then nothing is open.
static bool read_head(const char *path, struct elf_file *file)
{
	enum { HEAD_SIZE = 2048 };
	char *head = memory_take(HEAD_SIZE);
	long fd = head ? kernel_open(AT_CWD, path, O_RDONLY | O_NONBLOCK | O_CLOEXEC) : -ENOMEM;
	if (fd < 0)
		return false;
	long size = kernel_read((int)fd, head, HEAD_SIZE);
	*file = (struct elf_file){.fd = (int)fd, .head = head, .size = size > 0 ? (size_t)size : 0};
	return true;
}

bool program_interpreter(const char *path, char *interpreter)
{
	struct elf_file file;
	size_t size = 0;
	if (!read_head(path, &file))
		return false;
	const char *segment = read_elf_header(&file) ? find_segment(&file, PT_INTERP) : NULL;
	const char *name = segment ? map_contents(&file, segment, PATH_SIZE, &size) : NULL;
	struct text text = text_in(interpreter, PATH_SIZE);
	if (name)
		text_add_bytes(&text, name, size);
	kernel_close(file.fd);
	return interpreter[0] == '/';
}

bool library_may_have_thread_storage(const char *path)
{
	struct elf_file file;
	if (!read_head(path, &file))
		return true;
	bool has = is_for_this_kernel(&file) && (!has_all_headers(&file) || find_segment(&file, PT_TLS));
	kernel_close(file.fd);
	return has;
}

struct program_kind program_kind_of(const char *path)
{
	struct program_kind kind = {.format = FORMAT_UNKNOWN};
	struct elf_file file;
	if (!read_head(path, &file))
		return kind;
	if (file.size > 2 && file.head[0] == '#' && file.head[1] == '!')
		kind.format = FORMAT_SCRIPT;
	if (read_elf_header(&file)) {
		kind.format = format_of(&file);
		kind.is_32_bit_x86 = file.layout->word < sizeof(uintptr_t);
	}
	kernel_close(file.fd);
	return kind;
}
