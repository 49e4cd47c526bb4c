// A reported conflict → the assertion that it is minimal and that its sentences name what it consists of, nothing else.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { Reason } from '../../../src/solver/solution.ts';
import type { Root } from '../../rig/root.ts';

/** What programs/judge.ts prints. */
export interface Verdict {
  readonly reasons: readonly Reason[];
  readonly minimal: boolean;
  readonly sentences: readonly string[];
  /** The solver's answer to all the reasons, and nothing else. */
  readonly together: string;
  /** For each reason, its answer to the others: the missing version or library was added. */
  readonly without: readonly string[];
  /** Names of all store objects. */
  readonly objects: readonly string[];
}

/** Judges a program, by its path on the host, with the store of a root. */
export async function judge(root: Root, program: string): Promise<Verdict> {
  const script = join(import.meta.dirname, 'programs', 'judge.ts');
  const { status, stdout, stderr } = await root.runOnHost({ argv: [process.execPath, script, program] });
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout) as Verdict;
}

const nameOf = (storePath: string): string => storePath.slice('/nix/store/'.length + 33);

function objectsOf(reason: Reason): string[] {
  if ('offeredIn' in reason) return reason.offeredIn === undefined ? [] : [nameOf(reason.offeredIn)];
  return [];
}

function namesOf(reason: Reason): string[] {
  if (!('name' in reason)) return [];
  const neededBy = 'neededBy' in reason ? [reason.neededBy].flat() : [];
  return [reason.name, ...neededBy];
}

const sorted = (words: Iterable<string>): string[] => [...new Set(words)].sort();

export function assertMinimal(verdict: Verdict): void {
  const { reasons, sentences, together, without } = verdict;
  assert.equal(verdict.minimal, true);
  assert.ok(reasons.length > 0);
  assert.equal(together, 'conflict', 'the reasons alone leave no set');
  const needless = reasons.filter((_, i) => without[i] !== 'solution');
  assert.deepEqual(needless, [], 'every reason is needed: without it there is a set');

  const words = sentences.join(' ').split(/[\s,;()]+/);
  const all = new Set(verdict.objects);
  assert.deepEqual(sorted(words.filter((word) => all.has(word))), sorted(reasons.flatMap(objectsOf)));
  const libraries = words.filter((word) => /^lib[^/]*\.so(\.\d+)*$/.test(word));
  const named = reasons.flatMap(namesOf);
  assert.deepEqual(sorted(libraries), sorted(named.filter((name) => /\.so(\.\d+)*$/.test(name))));
  for (const name of named) assert.ok(words.includes(name), `${name} is named`);
}

/** `missing-version libc.so.6`, each once, sorted. */
export function kindsOf({ reasons }: Verdict): string[] {
  return sorted(reasons.map((reason) => ('name' in reason ? `${reason.kind} ${reason.name}` : reason.kind)));
}
