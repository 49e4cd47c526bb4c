// `nix-foreign completions SHELL`: the table of commands → what that shell evaluates to complete them.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { printJson } from '../../host/output.ts';
import type { CommandRow, EntryProcess } from '../command.ts';
import { usageError } from '../usage-error.ts';
import { COMPLETED_SHELLS, type Completed, completedCommands } from './completion-table.ts';
import { bashTables, fishTables, zshTables } from './shells.ts';

/** What stands in place of `@name@` in a file of shell-hooks/. */
type CompletionTables = Readonly<Record<string, string>>;

const TABLES: Readonly<
  Record<(typeof COMPLETED_SHELLS)[number], (commands: readonly Completed[]) => CompletionTables>
> = { bash: bashTables, zsh: zshTables, fish: fishTables };

/** The text for a shell. `directory` holds the files of shell-hooks/. @throws ForeignError `usage`. */
export function completionsText(
  shell: string | undefined,
  commands: readonly Completed[],
  directory: string,
): string {
  const known = COMPLETED_SHELLS.find((each) => each === shell);
  if (known === undefined)
    throw usageError(
      shell === undefined ? 'completions needs a shell' : `there are no completions for '${shell}'`,
      `name one of: ${COMPLETED_SHELLS.join(', ')}`,
    );
  const tables = TABLES[known](commands);
  const text = readFileSync(path.join(directory, `complete.${known}`), 'utf8');
  return text.replace(/(?:# )?@([a-z]+)@/g, (whole, name: string) => tables[name] ?? whole);
}

export function completionsCommand(
  shell: string | undefined,
  options: { json: boolean },
  rows: readonly CommandRow[],
  groups: Readonly<Record<string, string>>,
  { shellHooks: directory }: Pick<EntryProcess, 'shellHooks'>,
): void {
  const text = completionsText(shell, completedCommands(rows, groups), directory);
  if (options.json) printJson({ shell, text });
  else process.stdout.write(text);
}
