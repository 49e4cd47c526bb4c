// `nix-foreign extend --run-time DIR --process PID --requester PATH -- NAME`: what the audit module asks while a
// program runs.
import path from 'node:path';
import { ForeignError } from '../host/errors.ts';
import { debug } from '../host/output.ts';
import { runTimesDirectory } from '../plan/run-time-record.ts';
import type { Context } from '../resolve/context.ts';
import { extendPlan } from '../resolve/extend-plan.ts';
import type { RunTimeQuestion } from '../resolve/present-set.ts';
import { allDirectories } from '../resolve/writable-directories.ts';

function usage(): ForeignError {
  return new ForeignError('extend is asked by the audit module only', {
    code: 'usage',
    hint: 'to have a library in a set, start the program, or: nix-foreign choose PROGRAM',
    exitCode: 125,
  });
}

/** @throws ForeignError `usage`. */
export function readQuestion(words: readonly string[]): RunTimeQuestion {
  const wordAfter = (option: string, at: number): string => {
    const value = words[at + 1];
    if (words[at] !== option || value === undefined) throw usage();
    return value;
  };
  const [directory, processId] = [wordAfter('--run-time', 0), Number(wordAfter('--process', 2))];
  const [requester, name] = [wordAfter('--requester', 4), wordAfter('--', 6)];
  if (!path.isAbsolute(directory) || !Number.isSafeInteger(processId) || words.length !== 8) throw usage();
  return { directory, processId, requester, name };
}

/** A failure is nobody's to see: the program's search fails as it would have without us. */
export async function extendCommand(words: readonly string[], context: Context): Promise<void> {
  const question = readQuestion(words);
  const directories = await allDirectories(context.host.uid);
  const dirs = directories.find((each) => runTimesDirectory(each) === path.dirname(question.directory));
  if (dirs === undefined) throw usage();
  try {
    await extendPlan(question, context, dirs);
  } catch (error) {
    debug(`${question.name}: ${String(error)}`);
  }
}
