// A needed name -> its node: a variable for each provider, and the clauses that hold whoever needs it.

import type { Provider } from '../candidates/problem.ts';
import { compareRanks } from '../candidates/rank.ts';
import { addClause, type Clause, negative, newVariable, positive } from './clause-kernel.ts';
import { constrain, type Grounding, type LoaderNode, type NameNode, type Value } from './grounding.ts';
import { sameFile } from './objective.ts';

/** The node of a name; the first request reads its providers. */
export function nameNode(g: Grounding, name: string): NameNode {
  const known = g.names.get(name);
  if (known) return known;
  const values: Value[] = [];
  const active = newVariable(g.kernel);
  const node: { -readonly [key in keyof NameNode]: NameNode[key] } = {
    name,
    active,
    values,
    choice: undefined,
  };
  g.names.set(name, node);
  if (g.problem.isFamily(name)) addFamily(g, node, values);
  else node.choice = addProviders(g, node, values);
  const group = values.map((value) => value.variable);
  for (const variable of group) g.kernel.group[variable] = group;
  return node;
}

function addFamily(g: Grounding, node: NameNode, values: Value[]): void {
  const inactive = negative(node.active);
  for (const loader of g.loaders) {
    const provider = loader.candidate.family.get(node.name);
    if (provider) {
      const value = addValue(g, node, values, provider, loader);
      addClause(g.kernel, [negative(value.variable), positive(loader.variable)], -1);
      addClause(g.kernel, [inactive, negative(loader.variable), positive(value.variable)], -1);
    } else {
      const constraint = { kind: 'family-missing', name: node.name, loader: loader.candidate } as const;
      constrain(g, [inactive, negative(loader.variable)], constraint);
    }
  }
}

function addProviders(g: Grounding, node: NameNode, values: Value[]): Clause | undefined {
  const { name } = node;
  const inactive = negative(node.active);
  const providers = g.problem.providersOf(name).toSorted((a, b) => compareRanks(a.rank, b.rank));
  for (const provider of providers) addValue(g, node, values, provider, undefined);
  const choice = [inactive, ...values.map((value) => positive(value.variable))];
  if (!values.length) constrain(g, [negative(g.always), inactive], { kind: 'no-provider', name });
  const path = g.problem.pins?.get(name);
  const excluded = values.filter((value) => g.problem.excluded?.(value.provider));
  const paths = excluded.map((value) => value.provider.path);
  for (const value of excluded) {
    constrain(g, [inactive, negative(value.variable)], { kind: 'excluded', name, paths });
  }
  for (const value of values) {
    if (path === undefined || sameFile(value.provider, path)) continue;
    constrain(g, [inactive, negative(value.variable)], { kind: 'pinned', name, path });
  }
  return values.length ? addClause(g.kernel, choice, -1) : undefined;
}

function addValue(
  g: Grounding,
  name: NameNode,
  values: Value[],
  provider: Provider,
  loader: LoaderNode | undefined,
): Value {
  const inside = `${provider.storePath}/`;
  const value: Value = { variable: newVariable(g.kernel), name, provider, inside, loader, needs: [] };
  g.values[value.variable] = value;
  values.push(value);
  return value;
}
