// The readers in TypeScript → a thread for each, watched: an input that takes too long, or too much memory, is a fault too.
import { Worker } from 'node:worker_threads';
import type { Answer, Job } from './reader-worker.ts';
import { READERS } from './readers.ts';
import type { Effort, Finding, Part, Result } from './results.ts';

/** For every single input: milliseconds, and megabytes of the heap. */
export const READER_BOUNDS = { time: 2_000, heap: 256 } as const;
const MOST_FINDINGS = 8;

interface Ended {
  /** The input to go on with. */
  readonly next: number;
  readonly isDone: boolean;
  readonly tried: number;
  readonly slowest: number;
  readonly buffers: number;
  readonly faults: readonly { readonly input: number; readonly what: string }[];
}

function startWorker(job: Job): Worker {
  const heap = READER_BOUNDS.heap;
  return new Worker(new URL('./reader-worker.ts', import.meta.url), {
    workerData: job,
    resourceLimits: { maxOldGenerationSizeMb: heap, maxYoungGenerationSizeMb: 32, stackSizeMb: 4 },
  });
}

/** Runs until all is done, or one input breaks a bound: then `next` is the one after it. */
function runWorker(job: Job): Promise<Ended> {
  const state = new Uint32Array(job.state);
  state.fill(0);
  state[0] = job.first;
  const faults: { input: number; what: string }[] = [];
  let [slowest, buffers] = [0, 0];
  const worker = startWorker(job);
  return new Promise((resolve) => {
    const end = (isDone: boolean, what?: string): void => {
      clearInterval(watch);
      const input = Atomics.load(state, 0);
      if (what !== undefined) faults.push({ input, what });
      void worker.terminate();
      resolve({ next: input + 1, isDone, tried: Atomics.load(state, 1), slowest, buffers, faults });
    };
    let [seen, since] = [-1, performance.now()];
    const watch = setInterval(() => {
      const read = Atomics.load(state, 1);
      if (read !== seen) [seen, since] = [read, performance.now()];
      const patience = READER_BOUNDS.time + (read === 0 ? 20_000 : 0); // the thread loads its modules first
      if (performance.now() - since > patience) end(false, `longer than ${READER_BOUNDS.time} ms`);
    }, 200);
    worker.on('message', (answer: Answer) => {
      [slowest, buffers] = [Math.max(slowest, answer.slowest), Math.max(buffers, answer.buffers)];
      if (answer.kind === 'done') end(true);
      else if (faults.length < MOST_FINDINGS) faults.push({ input: answer.input, what: answer.what });
    });
    worker.on('error', (error) => end(false, error.message));
  });
}

/** One line for each kind of fault, the first input of it. */
function findingsOf(faults: Ended['faults'], reader: string, seed: number): Finding[] {
  const byWhat = new Map(faults.toReversed().map((each) => [each.what.replace(/\d+/g, 'N'), each]));
  return [...byWhat.values()]
    .slice(0, MOST_FINDINGS)
    .map(({ what, input }) => ({ what, again: `reader '${reader}', seed ${seed}, input ${input}` }));
}

async function fuzz(reader: string, { seed, seconds, inputs }: Effort): Promise<Result> {
  const begin = performance.now();
  const until = Date.now() + seconds * 1000;
  const state = new SharedArrayBuffer(8);
  const ended: Ended[] = [];
  for (let first = 0; first < inputs && (first === 0 || Date.now() < until); ) {
    const milliseconds = first === 0 ? seconds * 1000 : until - Date.now();
    const end = Math.min(inputs, 2 ** 32 - 1);
    const last = await runWorker({ reader, seed, first, end, milliseconds, state });
    ended.push(last);
    first = last.isDone ? Infinity : last.next;
  }
  const most = (of: (each: Ended) => number) => Math.max(0, ...ended.map(of));
  return {
    part: 'TypeScript readers',
    target: reader,
    tried: ended.reduce((sum, each) => sum + each.tried, 0),
    seconds: (performance.now() - begin) / 1000,
    figures: `slowest ${most(({ slowest }) => slowest).toFixed(0)} ms, buffers ${(most(({ buffers }) => buffers) / 1e6).toFixed(1)} MB`,
    findings: findingsOf(
      ended.flatMap(({ faults }) => faults),
      reader,
      seed,
    ),
  };
}

export const typeScriptReaders: Part = {
  name: 'readers',
  what: 'every reader in TypeScript of what others may have written, by changes of real inputs',
  targets: READERS.map(({ name }) => name),
  run: fuzz,
};
