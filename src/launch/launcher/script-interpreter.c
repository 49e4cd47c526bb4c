// A file's first line to the interpreter that it names after #!, as fs/binfmt_script.c takes it apart.
#include "script-interpreter.h"

static bool is_blank(char byte)
{
	return byte == ' ' || byte == '\t';
}

enum script_line script_interpreter_read(const char *path, char *interpreter)
{
	char head[SCRIPT_INTERPRETER_SIZE];
	long fd = kernel_open(AT_CWD, path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return SCRIPT_LINE_NONE;
	long size = kernel_read((int)fd, head, sizeof head - 1);
	kernel_close((int)fd);
	if (size < 3 || head[0] != '#' || head[1] != '!')
		return SCRIPT_LINE_NONE;
	head[size] = '\0';
	const char *from = head + 2;
	while (is_blank(*from))
		from++;
	size_t length = 0;
	for (; from[length] && from[length] != '\n' && !is_blank(from[length]); length++)
		interpreter[length] = from[length];
	interpreter[length] = '\0';
	bool carriage_return = length > 0 && interpreter[length - 1] == '\r';
	return carriage_return ? SCRIPT_LINE_CARRIAGE_RETURN : SCRIPT_LINE_PLAIN;
}
