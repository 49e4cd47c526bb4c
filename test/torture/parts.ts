// The parts of the torture, in the order in which they run.
import { cReaders } from './fuzz-c.ts';
import { typeScriptReaders } from './fuzz-readers.ts';
import type { Part } from './results.ts';

export const PARTS: readonly Part[] = [cReaders, typeScriptReaders];
