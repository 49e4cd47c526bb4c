// The options of `nix-foreign choose` and a terminal, if there is one → what was chosen, and the exit status.
import { addChoices, NO_CHOICES } from '../../choices/choices.ts';
import { ForeignError } from '../../host/errors.ts';
import { printable, printJson, printLine } from '../../host/output.ts';
import { fileWord } from '../../host/shell-words.ts';
import type { Context } from '../../resolve/context.ts';
import { forOriginal } from '../../resolve/for-original.ts';
import { openAlternatives } from '../../resolve/solve-program.ts';
import { closureSizes } from '../../store/sizes.ts';
import { INTERRUPTED } from '../command.ts';
import { chooseByDialogue } from './dialog.ts';
import {
  type ChooseOutcome,
  type ChooseSession,
  type ChooseWords,
  candidatesOrRefusal,
  choose,
  outcomeText,
  saveChecked,
} from './session.ts';

/** The dialogue reads stdin and draws on stderr; stdout may be anything. */
function isInteractive(): boolean {
  return process.stdin.isTTY === true && process.stderr.isTTY === true;
}

async function byDialogue(session: ChooseSession): Promise<ChooseOutcome> {
  const { program, catalogue, context, earlier } = session;
  const { agree, pick } = await import('./prompts.ts');
  const output = process.stderr;
  const alternativesWith = (choices: typeof earlier) => openAlternatives(program, catalogue, choices);
  const present = alternativesWith(earlier);
  candidatesOrRefusal(present, session);
  const before = present.outcome.kind === 'solution' ? present.outcome : undefined;
  const sizes = closureSizes(context.location);
  try {
    const decision = await chooseByDialogue(earlier, before, {
      closureSize: sizes.bytesOf,
      alternativesWith,
      say: (text) => void output.write(`${text}\n`),
      pick: (question) => pick(question, output),
      agree: (message) => agree(message, output),
    });
    if (decision.kind === 'chosen') {
      const { pins } = decision;
      return await saveChecked(session, (now) => addChoices(now, { ...NO_CHOICES, pins }));
    }
    if (decision.kind !== 'impossible') return { kind: decision.kind };
    throw new ForeignError(`${session.typedName}: ${decision.sentences.join('; ')}`, {
      code: 'conflict',
      hint: `nothing was changed; take another library: nix-foreign choose ${fileWord(session.typedName)}`,
      exitCode: 126,
    });
  } finally {
    sizes.close();
  }
}

/**
 * `nix-foreign choose`; `none` says nothing of what was chosen. The exit status is 0, 1 for a pin that came to nothing,
 * or 130 when the dialogue was left with Ctrl-C.
 */
export async function chooseCommand(
  typedName: string,
  words: ChooseWords,
  format: 'text' | 'json' | 'none',
  context: Context,
): Promise<number> {
  const dialogue = format !== 'json' && isInteractive() ? byDialogue : undefined;
  const outcome = await forOriginal(typedName, context, (name) => choose(name, words, context, dialogue));
  if (format === 'json') printJson(outcome.kind === 'listed' ? outcome.value : outcome);
  else if (format === 'text') printLine(outcomeText(outcome));
  return statusOf(outcome);
}

function statusOf(outcome: ChooseOutcome): number {
  if (outcome.kind === 'cancelled') return INTERRUPTED;
  return outcome.kind === 'chosen' && outcome.idlePins.length > 0 ? 1 : 0;
}

const NOTHING_SAID: ChooseWords = { pin: [], add: [], exclude: [], prefer: [], drop: [], reset: false };

/**
 * `nix-run-foreign --choose`: the dialogue, where there is a terminal and something to choose, before the start. Stdout
 * is the program's. The exit status is 0 when the start may follow.
 */
export async function chooseOnTheWay(typedName: string, context: Context): Promise<number> {
  if (!isInteractive()) return 0;
  try {
    const outcome = await choose(typedName, NOTHING_SAID, context, byDialogue);
    process.stderr.write(`${printable(outcomeText(outcome))}\n`);
    return outcome.kind === 'cancelled' ? INTERRUPTED : 0;
  } catch (error) {
    if (error instanceof ForeignError && error.code === 'nothing-to-choose') return 0;
    throw error;
  }
}
