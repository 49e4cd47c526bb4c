// A program's real path → the choices saved for it, in the state directory.
//
// By the path, not by the content: "this program with that OpenSSL" is meant to hold for the program's next version
// too, which has another content at the same path. In the state directory, not in the cache: what a person decided
// cannot be found out again.
import { rmSync } from 'node:fs';
import path from 'node:path';
import { writeFileDurably } from '../host/atomic-file.ts';
import type { Directories } from '../host/directories.ts';
import { makeDirectories } from '../host/files.ts';
import { debug } from '../host/output.ts';
import { ownersFor, readTrusted } from '../host/trusted-file.ts';
import { type Choices, hasChoices } from './choices.ts';

/** No larger document is read. */
const MAXIMUM_SIZE = 1 << 20;

/** The file in these directories for the choices of one program. `key`: of its real path (plan/plan-format.ts). */
export function choicesFile(dirs: Directories, key: string): string {
  return path.join(path.dirname(dirs.roots), 'choices', `${key}.json`);
}

/** As with plans: what somebody else could have written does not count (plan/PLAN.md). */
function readOwn(file: string): string | undefined {
  const owners = ownersFor(process.geteuid?.() ?? 0, file);
  const content = readTrusted(file, { owners, follow: false, limit: MAXIMUM_SIZE });
  if (content.kind === 'read') return content.bytes.toString('utf8');
  if (content.kind === 'refused') debug(`choices ${file} are not trusted: ${content.why}`);
  return undefined;
}

export interface SavedChoices {
  readonly choices: Choices;
  readonly file: string;
}

/** The first trusted choices for a program; undefined, with a line in the debug log, where they are damaged. */
export async function readChoices(
  directories: readonly Directories[],
  program: string,
  key: string,
): Promise<SavedChoices | undefined> {
  for (const dirs of directories) {
    const file = choicesFile(dirs, key);
    const text = readOwn(file);
    if (text === undefined) continue;
    // The checks are loaded when there is something to check: most programs have no choices.
    const { parseChoices } = await import('./parse-choices.ts');
    const parsed = parseChoices(text, program);
    if (parsed.kind === 'choices') return { choices: parsed.choices, file };
    debug(`choices ${file} are not trusted: ${parsed.why}`);
  }
  return undefined;
}

/** Saves choices, or forgets them where there are none. @throws Node's errors when the place cannot be written. */
export async function saveChoices(
  dirs: Directories,
  program: string,
  key: string,
  choices: Choices | undefined,
): Promise<void> {
  const file = choicesFile(dirs, key);
  if (choices === undefined || !hasChoices(choices)) return rmSync(file, { recursive: true, force: true });
  const { choicesText } = await import('./parse-choices.ts');
  makeDirectories(path.dirname(file));
  writeFileDurably(file, choicesText(program, choices));
}
