// A command name → the file that execvp(3) would start; what the launcher does in find-program.c.
import { accessSync, constants, statSync } from 'node:fs';
import path from 'node:path';

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

/** A name with a slash as it is; else the first executable file along PATH; undefined when there is none. */
export function findOnPath(name: string, pathVariable: string | undefined): string | undefined {
  if (name.includes('/')) return name;
  const directories = (pathVariable ?? '/bin:/usr/bin').split(':');
  return directories.map((directory) => path.join(directory, name)).find(isExecutable);
}
