// A patched copy → whether its loader takes the very files of the set, also where the user's LD_LIBRARY_PATH is
// hostile.
import { realpathSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { elfFileAt } from '../../elf/open-elf.ts';
import type { VerifiedSet } from '../../farm/verify-set.ts';
import { temporaryName } from '../../host/atomic-file.ts';
import { makeDirectories } from '../../host/files.ts';
import { runProgramNow } from '../../host/run-program.ts';
import { type LoadedObject, parseListOutput, verifyByLoader } from '../../ldso/ask-loader.ts';
import { storeObjectOf } from '../../store/store-location.ts';

const TIMEOUT = 60_000;

/** `other`: the loader takes other files. */
export type Proof =
  | { readonly kind: 'same'; readonly objects: number }
  | { readonly kind: 'other'; readonly why: string };

function identity(file: string): string {
  try {
    const { dev, ino } = statSync(file);
    return `${dev}:${ino}`;
  } catch {
    return `missing ${file}`;
  }
}

function real(file: string): string {
  try {
    return realpathSync(file);
  } catch {
    return file;
  }
}

/** By device and inode; without the loader, which goes by the name that the program has for it. */
function filesOf(objects: readonly LoadedObject[], loader: string): ReadonlyMap<string, string> {
  const own = identity(loader);
  const files = objects
    .map(({ name, path: file }) => file ?? name)
    .map((file) => [identity(file), file] as const);
  return new Map(files.filter(([each]) => each !== own));
}

function differenceOf(
  expected: ReadonlyMap<string, string>,
  found: ReadonlyMap<string, string>,
): string | undefined {
  const extra = [...found].find(([each]) => !expected.has(each));
  if (extra !== undefined) return `it would load ${real(extra[1])}, which is not of the set`;
  const lost = [...expected].find(([each]) => !found.has(each));
  return lost === undefined ? undefined : `it would not load ${real(lost[1])}`;
}

function listed(loader: string, copy: string, env: Readonly<Record<string, string>>) {
  const { stdout, stderr } = runProgramNow(loader, ['--list', copy], { env, timeout: TIMEOUT });
  return parseListOutput(stdout, stderr, copy);
}

/** Empty files of the names that may be looked for: whoever takes one of them ends. */
function withHostileDirectory<T>(cache: string, names: readonly string[], work: (directory: string) => T): T {
  const directory = temporaryName(path.join(cache, 'proof'));
  try {
    makeDirectories(directory);
    for (const name of names) writeFileSync(path.join(directory, name), '');
    return work(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

interface Surroundings {
  readonly libc: 'glibc' | 'musl';
  readonly storeDir: string;
  /** Of the place: its path is safe in a library path, and the next run removes what a killed one left in it. */
  readonly cache: string;
}

/** `hostile`: also with every name of the set in LD_LIBRARY_PATH. musl takes that first, so it is not asked. */
export function provePatched(
  copy: string,
  verified: VerifiedSet,
  { libc, storeDir, cache }: Surroundings,
  hostile: 'too' | 'not',
): Proof {
  const { loader, objects } = verified;
  if (libc === 'glibc' && !verifyByLoader(loader, copy))
    return { kind: 'other', why: `${loader} does not take the copy` };
  const expected = filesOf(objects, loader);
  // What the program does not name itself a library beside it finds by its own run path, behind the user's directories.
  const own = new Set(elfFileAt(copy)?.needed);
  const isBeside = (file: string | undefined) =>
    file !== undefined && storeObjectOf(storeDir, real(file)) === undefined;
  const names = objects
    .filter(({ name, path: file }) => own.has(path.basename(name)) || !isBeside(file))
    .map(({ name }) => path.basename(name))
    .filter((name) => name !== '');
  const outcomeIn = (env: Readonly<Record<string, string>>): string | undefined => {
    const { complaints, objects: found } = listed(loader, copy, env);
    return complaints[0] ?? differenceOf(expected, filesOf(found, loader));
  };
  const why = outcomeIn({});
  if (why !== undefined) return { kind: 'other', why };
  if (libc === 'musl' || hostile === 'not') return { kind: 'same', objects: expected.size };
  const beaten = withHostileDirectory(cache, names, (directory) => outcomeIn({ LD_LIBRARY_PATH: directory }));
  return beaten === undefined
    ? { kind: 'same', objects: expected.size }
    : { kind: 'other', why: `with an LD_LIBRARY_PATH of the user's ${beaten}` };
}

/**
 * The same for a patched library: `served` are names that it needs, each with the file that it is to be. Its other
 * names may be found by whatever loads it. @returns why not, as one clause.
 */
export function whyNotServed(
  copy: string,
  loader: string,
  served: ReadonlyMap<string, string>,
): string | undefined {
  const { objects, complaints } = listed(loader, copy, {});
  for (const [name, file] of served) {
    const complaint = complaints.find((each) => each.includes(name));
    if (complaint !== undefined) return complaint;
    const found = objects.find((each) => each.name === name)?.path;
    if (found === undefined) return `it would not load ${name}`;
    if (identity(found) !== identity(file)) return `it would load ${real(found)} for ${name}`;
  }
  return undefined;
}
