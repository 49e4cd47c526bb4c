// What may follow each command → the tables of shell-hooks/complete.bash.
import { type Completed, type CompletedOption, completedOption, type Kind } from './completion-table.ts';
import { LAUNCHER_OPTIONS } from './launcher-options.ts';

/** Words that come from the table are plain: letters, digits and dashes. */
function kindText(kind: Kind, commands: readonly string[]): string {
  if (kind === 'command') return `words:${commands.join(',')}`;
  return typeof kind === 'string' ? kind : `words:${kind.join(',')}`;
}

function optionsText(options: readonly CompletedOption[]): string {
  return options
    .flatMap(({ names, value }) =>
      names.map((name) => (value === undefined ? name : `${name}=${kindText(value, [])}`)),
    )
    .join(' ');
}

export function bashTables(completed: readonly Completed[]): Readonly<Record<string, string>> {
  const commands = (completed[0]?.words ?? []).map(([word]) => word);
  const cases = completed.map((each) => {
    const words = each.words.map(([word]) => word).join(' ');
    const kinds = each.arguments.map((kind) => kindText(kind, commands)).join(' ');
    return `    '${each.path}') words='${words}' options='${optionsText(each.options)}' arguments='${kinds}' ;;`;
  });
  return { cases: cases.join('\n'), launcher: optionsText(LAUNCHER_OPTIONS.map(completedOption)) };
}
