// Records to a plan in a cache directory, written after PLAN.md and independently of src/.
import { chmodSync, mkdirSync, realpathSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** Identity text of the file at `file`, symbolic links followed. */
export function identity(file: string): string {
  const { dev, ino, size, mtimeNs, ctimeNs } = statSync(file, { bigint: true });
  return `${dev & 0xfff00n ? dev : 0}:${ino}:${size}:${seconds(mtimeNs)}:${seconds(ctimeNs)}`;
}

function seconds(nanoseconds: bigint): string {
  const rest = ((nanoseconds % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
  return `${(nanoseconds - rest) / 1_000_000_000n}.${rest}`;
}

/** Name of the plan of a program with this real path: FNV-1a, 64 bits, in hex. */
export function planKey(realPath: string): string {
  const hash = Buffer.from(realPath).reduce(
    (sofar, byte) => BigInt.asUintN(64, (sofar ^ BigInt(byte)) * 0x100000001b3n),
    0xcbf29ce484222325n,
  );
  return hash.toString(16).padStart(16, '0');
}

/** A whole plan of `program`: the required records, `records` and the end. */
export function planText(program: string, records: readonly string[] = []): string {
  const real = realpathSync(program);
  return recordsText([
    'nix-run-foreign plan 2',
    `p${real}`,
    `i${identity(real)}`,
    'sdirect',
    ...records,
    '.',
  ]);
}

export function recordsText(records: readonly string[]): string {
  return records.map((record) => `${record}\0`).join('');
}

function put(directory: string, program: string, text: string | Buffer): string {
  mkdirSync(directory, { recursive: true, mode: 0o755 });
  const file = path.join(directory, planKey(realpathSync(program)));
  writeFileSync(file, text, { mode: 0o600 });
  chmodSync(file, 0o600);
  return file;
}

/** Puts `text` where the plan of `program` belongs below `place` (`<cache>/nix-run-foreign`); returns its path. */
export function putPlan(place: string, program: string, text: string | Buffer): string {
  return put(path.join(place, 'v1/plans'), program, text);
}

/** Notes below `place` (`<state>/nix-run-foreign`) that the user decided something of `program`. Returns the file. */
export function putDecision(place: string, program: string): string {
  return put(path.join(place, 'v1/decided'), program, 'by hand\n');
}
