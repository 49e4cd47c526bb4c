// A set that the loader's `--list` accepted → what would end each start all the same.
import type { Proven } from '../launch/enact.ts';
import type { Dynamic } from './subject.ts';

/**
 * One line for each reason, of the simulation; none for a set that starts. `--list` does not check the level of the
 * processor that an object demands (loader/NOTES.md, "glibc: after the list").
 */
export async function startComplaints({ program, elf, libc }: Dynamic, proven: Proven): Promise<string[]> {
  // Loaded when it is needed: an ordinary first start asks the loader alone.
  const { foresee } = await import('../launch/foresee.ts');
  const { complaintsOf } = await import('../launch/trace-complaints.ts');
  return complaintsOf(foresee({ path: program.path, elf }, libc, proven.loader, proven.askedPath));
}
