// What is being done right now → one line on stderr, repeated with the elapsed time while it takes long.

const startedAt = Date.now();
let current = '';
let repeat: NodeJS.Timeout | undefined;

/** Says on stderr what the rig is doing; while that takes longer, says it again every 8 seconds. */
export function say(what: string): void {
  current = what;
  print();
  repeat ??= setInterval(print, 8_000).unref();
}

/** Ends the repetition; the last line stays. */
export function sayDone(what: string): void {
  say(what);
  clearInterval(repeat);
  repeat = undefined;
}

function print(): void {
  const seconds = Math.round((Date.now() - startedAt) / 1000);
  process.stderr.write(`rig: ${current} (${seconds} s)\n`);
}
