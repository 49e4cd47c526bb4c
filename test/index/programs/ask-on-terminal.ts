// A question on the terminal, where there is one → the answer, and what stdin held, on stdout.
// With `fetch`: the question for a fetch, behind a line of progress.
import { readFileSync, writeSync } from 'node:fs';
import { askOnTerminal, canAskOnTerminal } from '../../../src/index/ask-on-terminal.ts';
import { refusalOf } from '../../../src/index/fetch-absent.ts';
import { progressLine, stderrOutput } from '../../../src/index/progress-line.ts';

function askForFetch(): string {
  let time = 0;
  const now = () => {
    time += 5000;
    return time;
  };
  const line = progressLine('tool', { ...stderrOutput(), now });
  line.show('asking cache.example: 3 of 9 store paths');
  const preview = { paths: ['/nix/store/x'], download: 1, unpacked: 1, unknown: [], builds: [] };
  const policy = { fetch: 'ask', limit: 0, spent: 0 } as const;
  const refusal = refusalOf(preview, { program: 'tool', policy, endLine: line.end }, '/');
  return refusal === undefined ? 'yes' : 'no';
}

if (!canAskOnTerminal()) writeSync(1, 'cannot ask\n');
else {
  const answer = process.argv[2] === 'fetch' ? askForFetch() : askOnTerminal('Fetch them? [Y/n] ');
  writeSync(1, `answer: ${answer}, data: ${readFileSync(0, 'utf8')}`);
}
