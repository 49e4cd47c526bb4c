// What is being done right now → one line on stderr: rewritten on a terminal, else repeated every few seconds.

const startedAt = Date.now();
const intervalMs = 5_000;
let current = '';
let printedAt = -intervalMs;
let repeat: NodeJS.Timeout | undefined;

/** Says on stderr what the rig is doing, and goes on saying it while it takes long. */
export function say(what: string): void {
  current = what;
  repeat ??= setInterval(print, intervalMs).unref();
  if (process.stderr.isTTY || Date.now() - printedAt >= intervalMs) print();
}

/** Ends the repetition; the last line stays. */
export function sayDone(what: string): void {
  current = what;
  print();
  if (process.stderr.isTTY) process.stderr.write('\n');
  clearInterval(repeat);
  repeat = undefined;
}

function print(): void {
  printedAt = Date.now();
  const line = `rig: ${current} (${Math.round((printedAt - startedAt) / 1000)} s)`;
  process.stderr.write(process.stderr.isTTY ? `\r\u001b[K${line}` : `${line}\n`);
}
