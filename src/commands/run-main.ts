// The words of bin/nix-run-foreign.mjs → the program, through Node, for machines where no launcher could be built.
import { contextOf } from '../pipeline/context.ts';
import { parseWish } from '../pipeline/strategy-of.ts';
import { chooseOnTheWay } from './choose-command.ts';
import { explainCommand } from './explain.ts';
import { findProgram, prepare, readLauncherWords, startAndWait } from './run.ts';

const HELP = `Usage: nix-run-foreign [OPTION] [--] PROGRAM [ARGUMENT...]

Starts PROGRAM, built for another Linux, with libraries from /nix/store.

  --choose   choose libraries by hand on the terminal, then start the program
  --explain  show every library and why it was chosen; start nothing
  --rehash   read the program's content again
  --refresh  choose the libraries again
  --strategy NAME  start it this way from now on; auto takes that back
  --argv0 NAME     what the program is told as its own name
  --version  print the version
  --help     print this

This is the launcher's substitute in Node: it takes longer to start, stays
between the program and its caller, and does not hand over descriptors above 2.
Build the launcher with: npm run build (needs a C compiler)
See also: nix-foreign --help, man nix-run-foreign
`;

/** Everything from the words to the exit status; a fatal signal of the program becomes ours. `env`: the program's. */
export async function runMain(
  words: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  version: string,
): Promise<void> {
  const read = readLauncherWords(words);
  const { wish, words: command, strategy } = read;
  if (wish === '--help') return void process.stdout.write(HELP);
  if (wish === '--version') return void process.stdout.write(`nix-run-foreign ${version}\n`);
  const wishing = strategy === undefined ? {} : { wish: parseWish(strategy, '--strategy') };
  const context = { ...contextOf(process, version), ...wishing };
  if (wish === '--explain') return await explainCommand(findProgram(command[0] ?? '', context), {}, context);
  if (wish === '--choose') {
    const status = await chooseOnTheWay(findProgram(command[0] ?? '', context), context);
    if (status !== 0) {
      process.exitCode = status;
      return;
    }
  }
  const how = wish === '--rehash' ? 'rehash' : wish === '--refresh' ? 'refresh' : 'as-needed';
  const end = await startAndWait(await prepare(read, how, context, env));
  if (typeof end === 'number') process.exitCode = end;
  else {
    process.removeAllListeners(end);
    process.kill(process.pid, end);
  }
}
