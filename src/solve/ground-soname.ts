// A provider that was chosen -> the clauses that keep its soname from being served by another file.
import { negative } from './clause-kernel.ts';
import { constrain, type Grounding, type Value } from './grounding.ts';
import { sameFile } from './objective.ts';

/** ld.so lets the first file loaded under a soname serve every later request for it (NOTES.md, sonames). */
export function groundSoname(g: Grounding, value: Value): void {
  const { name } = value.name;
  const { soname } = value.provider;
  for (const alias of g.aliases.get(name) ?? []) forbidClash(g, alias, value);
  remember(g.chosen, name, value);
  if (soname === undefined || soname === name) return;
  const bundled = g.problem.bundled.get(soname);
  if (bundled && !sameFile(value.provider, bundled.path)) {
    const clash = {
      kind: 'soname-clash',
      name,
      soname,
      file: value.provider.path,
      other: bundled.path,
    } as const;
    constrain(g, [negative(value.variable)], clash);
  }
  for (const other of g.chosen.get(soname) ?? []) forbidClash(g, value, other);
  remember(g.aliases, soname, value);
}

function remember(map: Map<string, Value[]>, name: string, value: Value): void {
  const list = map.get(name);
  if (list) list.push(value);
  else map.set(name, [value]);
}

function forbidClash(g: Grounding, alias: Value, other: Value): void {
  const { path } = other.provider;
  const { name } = alias.name;
  if (
    sameFile(alias.provider, path) ||
    sameFile(alias.provider, `${other.provider.storePath}/${other.provider.file}`)
  )
    return;
  const soname = other.name.name;
  const clash = { kind: 'soname-clash', name, soname, file: alias.provider.path, other: path } as const;
  constrain(g, [negative(alias.variable), negative(other.variable)], clash);
}
