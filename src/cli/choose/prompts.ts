// Questions → a person's answers, on the terminal. A bundle of its own, so it imports nothing of ours but types.
import { confirm, search } from '@inquirer/prompts';

/** One thing that can be picked. */
export interface Option {
  /** What the answer is. */
  readonly value: string;
  /** The line in the list. */
  readonly label: string;
  /** More about it, shown below the list while it is the one that Enter would take. */
  readonly description: string;
}

export interface PromptQuestion {
  readonly message: string;
  /** The recommended one first. */
  readonly options: readonly Option[];
}

type PromptAnswer<T> = { readonly kind: 'answered'; readonly value: T } | { readonly kind: 'cancelled' };

/** Ctrl-C, or a terminal that went away. */
function isCancelled(error: unknown): boolean {
  return error instanceof Error && (error.name === 'ExitPromptError' || error.name === 'AbortPromptError');
}

async function answered<T>(asking: Promise<T>): Promise<PromptAnswer<T>> {
  try {
    return { kind: 'answered', value: await asking };
  } catch (error) {
    if (isCancelled(error)) return { kind: 'cancelled' };
    throw error;
  }
}

/** Every word typed has to occur in the label or the value. */
function matching({ options }: PromptQuestion, typed: string | undefined): readonly Option[] {
  const words = (typed ?? '').toLowerCase().split(/\s+/).filter(Boolean);
  const has = ({ label, value }: Option) =>
    words.every((word) => `${label} ${value}`.toLowerCase().includes(word));
  return options.filter(has);
}

/** Lets a person pick one; what is typed filters the list, Enter takes the first or the one moved to. */
export async function pick(
  question: PromptQuestion,
  output: NodeJS.WriteStream,
): Promise<PromptAnswer<string>> {
  const source = (typed: string | undefined) =>
    matching(question, typed).map(({ value, label, description }) => ({
      value,
      name: label,
      short: label,
      description,
    }));
  return await answered(search({ message: question.message, source, pageSize: 8 }, { output }));
}

/** Asks yes or no; Enter means yes. */
export async function agree(message: string, output: NodeJS.WriteStream): Promise<PromptAnswer<boolean>> {
  return await answered(confirm({ message, default: true }, { output }));
}
