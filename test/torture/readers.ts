// The readers in TypeScript of what others may have written → each with its real inputs, and what it must never say.
import { ELF_READERS } from './elf-readers.ts';
import { INDEX_READERS } from './index-readers.ts';
import type { Form } from './mutate.ts';
import { TEXT_READERS } from './text-readers.ts';

export interface Reader {
  readonly name: string;
  readonly form: Form;
  readonly seeds: () => readonly (string | Uint8Array)[];
  /** Throws what the product would throw, or an Error that begins with `must not` where an answer is wrong. */
  readonly read: (bytes: Buffer) => unknown;
}

export const READERS: readonly Reader[] = [...ELF_READERS, ...TEXT_READERS, ...INDEX_READERS];
