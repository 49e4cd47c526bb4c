// The state that a Problem is grounded in, and the one way a constraint gets in.

import type { LoaderCandidate, Problem, Provider } from '../candidates/problem.ts';
import { addClause, type Clause, type Kernel } from './clause-kernel.ts';
import { type Constraint, constraintKey } from './constraint.ts';

/** "This provider serves this name". */
export interface Value {
  readonly variable: number;
  readonly name: NameNode;
  readonly provider: Provider;
  /** Its store path with a slash at the end. */
  readonly inside: string;
  /** For the libc family: the loader it belongs to. */
  readonly loader: LoaderNode | undefined;
  /** Where its own needs lead; filled when it is first chosen. Bundled names are left out. */
  readonly needs: NameNode[];
}

/** A name that somebody reached by the search needs. */
export interface NameNode {
  readonly name: string;
  /** The variable for "somebody needs it". */
  readonly active: number;
  /** Best rank first. */
  readonly values: readonly Value[];
  /** The clause that one of the values is chosen when it is active; none for the libc family. */
  readonly choice: Clause | undefined;
}

export interface LoaderNode {
  readonly variable: number;
  readonly candidate: LoaderCandidate;
}

export interface Grounding {
  readonly problem: Problem;
  readonly kernel: Kernel;
  /** The variable that is always true: what the roots follow from. */
  readonly always: number;
  readonly names: Map<string, NameNode>;
  readonly loaders: readonly LoaderNode[];
  /** By variable. */
  readonly values: (Value | undefined)[];
  /** By clause tag. */
  readonly constraints: Constraint[];
  /** Where the roots' needs lead, in load order. */
  readonly rootNeeds: NameNode[];
  /** soname -> chosen values whose file carries it under another name. */
  readonly aliases: Map<string, Value[]>;
  /** name -> values that have been chosen at some time. */
  readonly chosen: Map<string, Value[]>;
  /** Keys of the constraints in force; undefined: all. */
  readonly only: ReadonlySet<string> | undefined;
  /** Keys of `unbound-symbol` for references bound when called that may stay undefined. */
  readonly tolerated: ReadonlySet<string> | 'all';
}

/** Adds a clause unless its constraint has been dropped. */
export function constrain(g: Grounding, lits: number[], constraint: Constraint): Clause | undefined {
  if (g.only && constraint.kind !== 'need' && !g.only.has(constraintKey(constraint))) return undefined;
  return addClause(g.kernel, lits, g.constraints.push(constraint) - 1);
}
