// A program, a loader and a file system → what that loader would load for that program, in order, and why.

import { simulateGlibc } from './glibc.ts';
import { simulateMusl } from './musl.ts';
import type { SimulationRequest } from './request.ts';
import type { LoadTrace } from './trace.ts';

/**
 * Total for every input. Rules and their sources: ldso/NOTES.md. The program is taken as given to the
 * loader as a command; started by the kernel it does the same, but for its own name in messages.
 */
export function simulate(request: SimulationRequest): LoadTrace {
  return request.loader.libc === 'musl' ? simulateMusl(request) : simulateGlibc(request);
}
