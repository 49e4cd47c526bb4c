// A question on the terminal, where there is one → the answer, and what stdin held, on stdout.
import { readFileSync, writeSync } from 'node:fs';
import { askOnTerminal, canAskOnTerminal } from '../../../src/index/ask-on-terminal.ts';

if (!canAskOnTerminal()) writeSync(1, 'cannot ask\n');
else {
  const answer = askOnTerminal('Fetch them? [Y/n] ');
  writeSync(1, `answer: ${answer}, data: ${readFileSync(0, 'utf8')}`);
}
