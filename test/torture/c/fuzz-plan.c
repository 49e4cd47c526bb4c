// The bytes of a plan → its reading, its conditions, and the argv, envp and view that are made by it.
#include "hosted.h"

#include "exec.c"

// The program that the plan says it is for, so that what follows its path and identity is looked at too.
static void name_program(struct program *program, const char *bytes, size_t size)
{
	program->found = "./found";
	struct text path = text_in(program->real_path, PATH_SIZE), identity = text_in(program->identity, IDENTITY_SIZE);
	for (const char *record = bytes; record < bytes + size; record = plan_next(record)) {
		struct text *text = *record == 'p' ? &path : *record == 'i' ? &identity : NULL;
		if (text && !text->used)
			text_add(text, record + 1);
	}
}

// Does a record set the variable that `entry` begins with the name of? An entry without `=` has no name.
static bool is_replaced(const char *record, const char *entry)
{
	size_t length = entry_name_length(entry);
	for (; entry[length] == '=' && *record != '.'; record = plan_next(record))
		if (sets(record) && entry_has_name(record + 1, entry, length))
			return true;
	return false;
}

static void use_plan(struct process *process, const struct plan *plan, const struct program *program)
{
	char **argv = arguments_of_plan(process, plan, program, process->argv);
	char **envp = environment_of_plan(process, plan, process->argv[0]);
	hosted_expect(argv && envp);
	size_t given = hosted_walk(process->argv), made = hosted_walk(argv), kept = 0;
	hosted_expect(plan->argument_count ? made <= plan->argument_count + given - 1 : argv == process->argv);
	for (size_t i = 1; i < given; i++) // the program's own arguments are the last ones, untouched
		hosted_expect(argv[made - i] == process->argv[given - i]);
	hosted_walk(envp);
	for (char **entry = process->envp; *entry; entry++)
		kept += !is_replaced(plan->records, *entry);
	hosted_expect(hosted_walk(envp) <= plan->set_count + kept);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static const char start[] = "a./found\na--option\na\neA=1\neLD_LIBRARY_PATH=/user\neNIX_LD=/x\neodd\neA=2\ne=\n", preload[] = "eLD_PRELOAD=x\n";
	char given[sizeof start + sizeof preload];
	struct input block = {(const uint8_t *)given, sizeof start - 1}, input = {bytes, size};
	uint8_t how = input_byte(&input);
	memcpy(given, start, sizeof start);
	memcpy(given + sizeof start - 1, preload, sizeof preload);
	block.size += how & 2 ? sizeof preload - 1 : 0;
	struct process process = process_of_block(hosted_block(&block, "./found"));
	struct program program;
	char *plan_bytes = hosted_copy(input.bytes, input.size);
	process.role = how & 1 ? ROLE_INTERPRETER : ROLE_COMMAND;
	program.identity[0] = program.real_path[0] = '\0';
	if (input.size && plan_bytes[input.size - 1] == '\0')
		name_program(&program, plan_bytes, input.size);
	struct plan plan = plan_read(&process, &program, plan_bytes, input.size);
	if (plan.records)
		use_plan(&process, &plan, &program);
	else
		refuse_invalid_plan(EXIT_TOOL_FAILED, &program, &plan);
	hosted_release();
	return 0;
}
