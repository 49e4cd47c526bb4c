// What a work left → whether all that comes after was right each time, so that it need not be gone through again.
import { execFileSync } from 'node:child_process';
import { closeSync, constants, openSync, writeSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { stateDigest, type Trees } from './state-digest.ts';

/** A fifo that a shell asks at whether it may end. */
const ANSWER = 'answer';

/** What comes after may go wrong now and then only, so once is not enough. */
const TIMES = 2;

/** What these change is times and permissions, and times decide without being in a digest (locks, last use). */
const UNSEEN = /@f?(?:utime\w*|chmod(?:at)?)\b/;

/** A state that may be known: what a command has not done that left it. */
export interface State {
  readonly undone: string | undefined;
}

export interface KnownStates {
  /** Asks whether the state is known, and ends a shell script if so. */
  readonly endIfKnown: string;
  /**
   * Answers one shell that asks after `work` was done with `how`, `HOW@CALL`; `given`, once the shell has ended: what it
   * was told.
   */
  answer(work: string, how: string): { given(): Promise<Answer> };
}

export interface Answer {
  /** Undefined: the state is new, and to be learnt when all is right after it. */
  readonly known: State | undefined;
  learn(state: State): void;
}

/** Undefined: it cannot be told, since something is at work there. */
function digestOf(trees: Trees): string | undefined {
  try {
    return stateDigest(trees);
  } catch {
    return undefined;
  }
}

/**
 * @param tools a directory, `seen` by the shells
 * @param trees with what is in the store they decide what comes after
 */
export function openKnownStates(tools: string, seen: string, trees: Omit<Trees, 'scratch'>): KnownStates {
  const fifo = path.join(tools, ANSWER);
  execFileSync('mkfifo', [fifo]);
  const states = new Map<string, State & { times: number }>();
  /** Undefined: it has ended without a question. No open(2) that waits: each would take a thread of Node's few. */
  const shellAsking = async (hasEnded: () => boolean): Promise<number | undefined> => {
    for (; !hasEnded(); await pause(5))
      try {
        return openSync(fifo, constants.O_WRONLY | constants.O_NONBLOCK);
      } catch {} // nobody reads
    return undefined;
  };
  const tell = async (work: string, how: string, hasEnded: () => boolean): Promise<Answer> => {
    const shell = await shellAsking(hasEnded);
    if (shell === undefined) return { known: undefined, learn: () => {} };
    const digest = digestOf({ ...trees, scratch: path.join(tools, 'looked-at') });
    const name = `${work} ${digest}`;
    const state = states.get(name);
    const isKnown = state !== undefined && state.times >= TIMES && !UNSEEN.test(how);
    try {
      writeSync(shell, isKnown ? 'known\n' : 'new\n');
    } catch {} // it may have been ended meanwhile
    closeSync(shell);
    const learn = ({ undone }: State): void => {
      if (digest !== undefined) states.set(name, { times: (state?.times ?? 0) + 1, undone });
    };
    return { known: isKnown ? state : undefined, learn };
  };
  return {
    endIfKnown: `read -r answer < ${seen}/${ANSWER}; [[ $answer == known ]] && exit\n`,
    answer: (work, how) => {
      let hasEnded = false;
      const told = tell(work, how, () => hasEnded);
      return {
        given: async () => {
          hasEnded = true;
          return await told;
        },
      };
    },
  };
}
