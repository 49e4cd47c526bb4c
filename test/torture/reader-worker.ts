// In a thread: a reader, a seed and a first number → the reader's answers to the inputs from there on.
import { setImmediate } from 'node:timers/promises';
import { getHeapStatistics } from 'node:v8';
import { parentPort, workerData } from 'node:worker_threads';
import { Malformed } from '../../src/elf/reader.ts';
import { ForeignError } from '../../src/host/errors.ts';
import { seededRandom } from '../elf/seeded-random.ts';
import { mutate } from './mutate.ts';
import { READERS, type Reader } from './readers.ts';

export interface Job {
  readonly reader: string;
  readonly seed: number;
  readonly first: number;
  /** The last one is before this. */
  readonly end: number;
  /** After that, from the first one on, no other begins. */
  readonly milliseconds: number;
  /** Two numbers, written here: the input that is read, and how many were read. */
  readonly state: SharedArrayBuffer;
}

export interface Answer {
  readonly kind: 'fault' | 'done';
  readonly input: number;
  readonly what: string;
  /** Milliseconds of the slowest input, and bytes of the buffers that one made, at most. */
  readonly slowest: number;
  readonly buffers: number;
}

/** Bytes of buffers outside of the heap that one input may make. */
const MOST_BUFFERS = 128 << 20;

const inputSeed = (seed: number, input: number): number =>
  (Math.imul(seed, 2_654_435_761) ^ Math.imul(input + 1, 40_503)) | 1;

/** The input of that number, the same every time. */
export function inputOf(reader: Reader, seeds: readonly Uint8Array[], seed: number, input: number): Buffer {
  const random = seededRandom(inputSeed(seed, input));
  for (let turn = 0; turn < 8; turn += 1) random(2);
  return mutate(reader.form, seeds, random);
}

function isExpected(error: unknown): boolean {
  return error instanceof ForeignError || error instanceof Malformed;
}

function seedsOf(reader: Reader): Uint8Array[] {
  return reader.seeds().map((seed) => (typeof seed === 'string' ? Buffer.from(seed) : seed));
}

/** The error of one input, or undefined. */
async function faultOf(reader: Reader, bytes: Buffer): Promise<string | undefined> {
  try {
    await reader.read(bytes);
    return undefined;
  } catch (error) {
    if (isExpected(error)) return undefined;
    return error instanceof Error
      ? `${error.name}: ${error.message.slice(0, 300)} ${placeOf(error)}`
      : String(error);
  }
}

function placeOf(error: Error): string {
  return /\/src\/([^)\n]+)/.exec(error.stack ?? '')?.[1] ?? '';
}

async function work(job: Job, send: (answer: Answer) => void): Promise<void> {
  const reader = READERS.find(({ name }) => name === job.reader) as Reader;
  const seeds = seedsOf(reader);
  const state = new Uint32Array(job.state);
  let [slowest, buffers, input] = [0, 0, job.first];
  const until = Date.now() + job.milliseconds;
  for (; input < job.end && (input === 0 || Date.now() < until); input += 1) {
    const bytes = inputOf(reader, seeds, job.seed, input);
    Atomics.store(state, 0, input);
    const [begin, before] = [performance.now(), getHeapStatistics().external_memory];
    const what = await faultOf(reader, bytes);
    slowest = Math.max(slowest, performance.now() - begin);
    const made = getHeapStatistics().external_memory - before;
    buffers = Math.max(buffers, made);
    Atomics.add(state, 1, 1);
    if (input % 1024 === 0) await setImmediate(); // what Node frees in turns of the event loop
    const wrong = what ?? (made > MOST_BUFFERS ? `buffers of ${made >> 20} MB` : undefined);
    if (wrong !== undefined) send({ kind: 'fault', input, what: wrong, slowest, buffers });
  }
  send({ kind: 'done', input, what: '', slowest, buffers });
}

if (parentPort !== null) await work(workerData as Job, (answer) => parentPort?.postMessage(answer));
