// The build's or the environment's choice of nix-foreign to a command that can be started.
#include "resolver-command.h"
#include "edit-environment.h"

struct resolver_command resolver_command(const struct process *process, const char *const words[RESOLVER_WORDS],
					 const char *real_path)
{
	const char *chosen = process_variable(process, "NIX_RUN_FOREIGN_RESOLVER");
	struct resolver_command command = {.envp = environment_of_resolver(process)};
	char **next = command.argv;
	if (chosen && *chosen) {
		command.execute = chosen[0] == '/' ? chosen : NULL;
		*next++ = (char *)chosen;
	} else {
		command.execute = RESOLVER_NODE;
		*next++ = (char *)RESOLVER_NODE;
		*next++ = (char *)RESOLVER_SCRIPT;
	}
	for (int i = 0; i < RESOLVER_WORDS; i++)
		if (words[i])
			*next++ = (char *)words[i];
	*next++ = (char *)"--";
	*next++ = (char *)real_path;
	*next = 0;
	return command;
}
