// A program that the kernel entered with this file as its loader → that program, with the libraries of its plan.
#include "interpreter.h"

static const char name[] = "LD_LIBRARY_PATH", audit_name[] = "LD_AUDIT";

// The libraries of the plan first, unless the user wants it the other way round. What nix-ld added is nobody's wish.
static const char *list_for_loader(const struct process *process, const struct plan *plan,
				   const struct user_library_path *user)
{
	const char *order = process_variable(process, "NIX_RUN_FOREIGN_LIBRARY_ORDER"), *list = plan->library_path;
	if (!order || !text_equal(order, "user-first"))
		return libraries_plan_first(plan, list, user->value);
	list = libraries_user_first(plan, user->own, list);
	return list ? libraries_plan_first(plan, list, user->added) : NULL;
}

static char **find_entry(const struct process *process, const char *of)
{
	for (char **entry = process->envp; *entry; entry++)
		if (entry_has_name(*entry, of, text_length(of)))
			return entry;
	return NULL;
}

// The module of the plan before those of the user. Puts it into the environment; none where the plan has none, or
// memory ran out: then the program finds what its plan has.
static struct made_entry put_audit_entry(struct process *process, const char *module)
{
	static char empty[] = "LD_AUDIT="; // glibc adds them all up (elf/rtld.c, process_envvars)
	struct made_entry made = {.filler = empty, .harmless = empty};
	char **slot = module ? find_entry(process, audit_name) : NULL;
	const char *of_user = slot ? *slot + sizeof audit_name : "";
	size_t size = module ? sizeof audit_name + text_length(module) + 1 + text_length(of_user) + 1 : 0;
	char *bytes = module ? memory_take_lasting(size) : NULL;
	if (!bytes)
		return made;
	struct text text = text_in(bytes, size);
	text_add(&text, made.harmless);
	text_add_lists(&text, module, of_user);
	made.text = text.bytes;
	made.size = text.used + 1;
	made.original = slot ? *slot : NULL;
	block_put_entry(process, slot, made.text, made.filler);
	return made;
}

// Goes on in the loader, which finds the libraries of the plan before all others. The program sees nothing of that.
// Returns only when memory ran out: -ENOMEM.
static long enter_loader(struct process *process, const struct plan *plan, const struct mapped_loader *loader,
		  struct user_library_path user)
{
	const char *list = list_for_loader(process, plan, &user);
	if (!list)
		return -ENOMEM;
	size_t name_size = text_length(plan->loader) + 1, entry_size = sizeof name + text_length(list) + 1;
	char *bytes = memory_take_lasting(name_size + entry_size);
	if (!bytes)
		return -ENOMEM;
	struct text loader_name = text_in(bytes, name_size);
	text_add(&loader_name, plan->loader);
	struct text entry = text_in(bytes + name_size, entry_size);
	text_add(&entry, name);
	text_add(&entry, "=");
	text_add(&entry, list);

	uintptr_t *entry_in_vector = auxiliary_value(&process->auxiliary, AT_ENTRY);
	uintptr_t own = program_entry(&process->auxiliary);
	// The trampoline of nix-ld is passed over: it would leave an empty LD_LIBRARY_PATH where it added one, and write
	// at the address that an entry had which it changed, while entries of ours move them all.
	uintptr_t program = own ? own : *entry_in_vector;
	bool may_move = own || !user.slot;
	if (user.is_extra && own && !user.slot[1]) {
		block_drop_last_entry(process);
		user.slot = NULL;
		entry_in_vector = auxiliary_value(&process->auxiliary, AT_ENTRY);
	}
	// The same twice: glibc takes the last one, musl the first.
	block_put_entry(process, user.slot, entry.bytes, entry.bytes);
	struct made_entry of_path = {.text = entry.bytes,
				     .filler = entry.bytes,
				     .size = entry.used + 1,
				     .original = user.entry,
				     .harmless = "LD_LIBRARY_PATH="};
	bool has_audit = may_move && plan->audit_module && !preloads_exclude_audit(process);
	struct made_entry of_audit = put_audit_entry(process, has_audit ? plan->audit_module : NULL);
	struct restoration restoration = {
		.target = program,
		.program_entry = program,
		.entry_in_vector = entry_in_vector,
		.envp = process->envp,
		.entries = {of_path, of_audit},
		.vector = process->auxiliary,
		.loader_dynamic = loader->dynamic,
		.loader_name = loader_name.bytes,
		.entries_are_read = !text_is_loader_of_glibc(plan->loader),
	};
	*entry_in_vector = trampoline_prepare(&restoration);
	*auxiliary_value(&process->auxiliary, AT_BASE) = loader->base;
	arch_enter(loader->entry, process->block);
}

// By its name where there is no /proc.
static long identify(const struct process *process, struct program *program)
{
	long failed = program_identify_running(program);
	const char *name = failed == 0 ? NULL : executed_path(process);
	if (!name)
		return failed;
	program->found = name;
	return program_identify(program);
}

// Wine's preloader maps the program and its interpreter, and enters that as the kernel would (loader/preloader.c): the
// program is at AT_PHDR, and not /proc/self/exe. False where it is the one that was identified, or cannot be.
static bool identify_preloaded(const struct process *process, struct program *program)
{
	const uintptr_t *headers = auxiliary_value(&process->auxiliary, AT_PHDR);
	const char *mapped = headers ? path_mapped_at(*headers) : NULL;
	if (!mapped || text_equal(mapped, program->real_path))
		return false;
	struct program *preloaded = memory_take(sizeof *preloaded); // the stack may be small
	if (!preloaded)
		return false;
	preloaded->found = mapped;
	if (program_identify(preloaded) < 0)
		return false;
	*program = *preloaded;
	return true;
}

// The program itself would find no libraries, whatever its loader is told (PLAN.md): its copy takes its place.
static long become_copy(struct process *process, const struct plan *plan, struct user_library_path user)
{
	// As the user had it: neither the program nor its children get what was there for nix-ld.
	if (user.is_extra)
		for (char **slot = user.slot; (slot[0] = slot[1]); slot++)
			;
	else if (user.slot)
		*user.slot = user.entry;
	return kernel_execve(plan->execute, process->argv, process->envp);
}

// Returns when there is no way by this plan: a negative errno, or 0 when it is not valid.
static long enter_by_plan(struct process *process, const struct plan *plan, struct user_library_path user)
{
	const uintptr_t *page_size = auxiliary_value(&process->auxiliary, AT_PAGESZ);
	if (!plan->records)
		return 0;
	if (!plan->loader || !plan->library_path)
		return plan->execute ? become_copy(process, plan, user) : -ENOEXEC;
	struct mapped_loader loader = map_loader(plan->loader, page_size ? *page_size : 4096);
	return loader.error ? loader.error : enter_loader(process, plan, &loader, user);
}

static int cannot_enter(const struct program *program, const struct plan *plan, long error)
{
	if (!plan->records)
		return refuse_invalid_plan(EXIT_NOT_FOUND, program, plan);
	if (error == -ENOEXEC)
		return message_failure(EXIT_NOT_FOUND,
				       &(struct failure){.about = program->real_path,
							 .cause = "it needs no loader of ours, and yet names this one",
							 .remedy = "see what it is with: nix-foreign explain ",
							 .remedy_detail = program->real_path});
	return message_failure(EXIT_NOT_FOUND, &(struct failure){.about = plan->loader ? plan->loader : plan->execute,
								 .cause = plan->loader ? "the loader of its plan cannot be mapped: "
										       : "the copy of its plan cannot be started: ",
								 .detail = message_of_error(error),
								 .remedy = "resolve it again: nix-run-foreign --refresh ",
								 .remedy_detail = program->real_path});
}

// The resolver and all that it starts carry this, so that a program they need and that comes here is no endless chain.
static bool is_within_resolver(const struct process *process)
{
	return process_variable(process, RESOLVER_MARK) != NULL;
}

int interpreter_main(struct process *process)
{
	struct program program;
	long failed = identify(process, &program);
	if (process_has_foreign_rights(process))
		return refuse_foreign_rights(
			process, EXIT_NOT_FOUND,
			&(struct failure){.about = failed ? NULL : program.real_path,
					  .remedy = "foreign programs cannot be setuid, setgid or have capabilities"});
	if (failed < 0)
		return message_failure(EXIT_NOT_FOUND,
				       &(struct failure){.cause = "the program that is starting cannot be found: ",
							 .detail = message_of_error(failed),
							 .remedy = "mount /proc, or start it by an absolute path"});

	struct user_library_path user = user_library_path_find(process);
	struct plan plan = plan_find(process, &program);
	failed = enter_by_plan(process, &plan, user);
	if (identify_preloaded(process, &program)) {
		plan = plan_find(process, &program);
		failed = enter_by_plan(process, &plan, user);
	}
	if (is_within_resolver(process))
		return refuse_within_resolver(&program);
	if (plan.records)
		message_debug(process, "the program could not be entered by its plan", message_of_error(failed));
	program.found = program.real_path; // nobody named it to us
	struct made_plan made = plan_make(process, &program, plan.records ? "--refresh" : NULL, NULL);
	if (made.status != 0)
		return EXIT_NOT_FOUND;
	failed = made.error < 0 ? made.error : enter_by_plan(process, &made.plan, user);
	return cannot_enter(&program, &made.plan, failed);
}
