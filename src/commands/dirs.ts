// `nix-foreign dirs`: the directories whose programs run by name, through the shell hook.
import path from 'node:path';
import { addDirectories, directoriesFile, readDirectories, removeDirectories } from '../hooks/directories.ts';
import { dataDirectory } from '../platform/data-directory.ts';
import { printJson, printOneLine } from '../platform/print.ts';

/** Prints the list as it then is, but silently after a change that went well. @throws ForeignError `directory`. */
export async function dirsCommand(
  action: 'add' | 'remove' | 'list',
  directories: readonly string[],
  options: { json: boolean },
): Promise<void> {
  const file = directoriesFile(await dataDirectory());
  const named = directories.map((each) => path.resolve(each));
  const change = { add: addDirectories, remove: removeDirectories, list: readDirectories }[action];
  const all = change(file, named);
  if (options.json) printJson(all);
  else if (action === 'list') for (const each of all) printOneLine(each);
}
