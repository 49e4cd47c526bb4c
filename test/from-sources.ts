// Options of Node for a process that runs a program of the sources: what was made of them before is taken again.
import path from 'node:path';

export const FROM_SOURCES = [
  '--disable-warning=ExperimentalWarning',
  `--import=${path.join(import.meta.dirname, 'compile-cache.mjs')}`,
] as const;
