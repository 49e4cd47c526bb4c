// A file's first line to the interpreter that it names after #!, and its argument, as fs/binfmt_script.c takes it apart.
#include "script-line.h"
#include "text.h"

static bool is_blank(char byte)
{
	return byte == ' ' || byte == '\t';
}

static const char *skip_blanks(const char *from)
{
	while (is_blank(*from))
		from++;
	return from;
}

// Up to a blank or the line's end.
static size_t word_length(const char *from)
{
	size_t length = 0;
	while (from[length] && from[length] != '\n' && !is_blank(from[length]))
		length++;
	return length;
}

// All up to the line's end, without the blanks there, is one argument.
static size_t argument_length(const char *from)
{
	size_t length = 0;
	while (from[length] && from[length] != '\n')
		length++;
	while (length > 0 && is_blank(from[length - 1]))
		length--;
	return length;
}

static void copy(char *into, const char *from, size_t length)
{
	struct text text = text_in(into, SCRIPT_LINE_SIZE);
	text_add_bytes(&text, from, length);
}

struct script_line script_line_read(const char *path)
{
	struct script_line line = {.is_script = false};
	char head[SCRIPT_LINE_SIZE];
	long fd = kernel_open(AT_CWD, path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return line;
	long size = kernel_read((int)fd, head, sizeof head - 1);
	kernel_close((int)fd);
	if (size < 3 || head[0] != '#' || head[1] != '!')
		return line;
	head[size] = '\0';
	const char *from = skip_blanks(head + 2);
	size_t length = word_length(from);
	line.is_script = true;
	line.ends_interpreter_in_cr = length > 0 && from[length - 1] == '\r';
	copy(line.interpreter, from, length);
	from = skip_blanks(from + length);
	copy(line.argument, from, argument_length(from));
	return line;
}
