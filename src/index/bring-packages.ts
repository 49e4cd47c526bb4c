// Libraries that the store lacks → what to type for them, or what can be done where nixpkgs does not have them.
import { findMachine, type MachineKey } from '../elf/machine.ts';
import { listText } from '../host/output.ts';
import { fileWord } from '../host/shell-words.ts';
import { absentName } from './absent-names.ts';
import { hasManyVersions, knownProvider } from './known-providers.ts';
import { nixBuild } from './nix-build-line.ts';

/** What a program demands of a package; for this machine and glibc where nothing is said. */
export interface Demand {
  readonly elf?: MachineKey | undefined;
  readonly libc?: { readonly kind: 'glibc' | 'musl' } | undefined;
  /** For commands that name the program. */
  readonly typedName?: string | undefined;
}

/** As Nix calls it. */
export const systemOf = ({ elf }: Demand): string | undefined => elf && findMachine(elf)?.system;

/** More are not named again: the cause has them all. */
const MOST_NAMED = 3;

/** The attribute of nixpkgs that has a library, by the table of known providers; none for what nixpkgs has not. */
export function attributeInNixpkgs(soname: string): string | undefined {
  return absentName(soname, '') === undefined ? knownProvider(soname)?.attr : undefined;
}

function lineFor(sonames: readonly string[], demand: Demand): string {
  const known = [...new Set(sonames.flatMap((soname) => attributeInNixpkgs(soname) ?? []))].sort();
  const attributes = known.length === 0 ? ['PACKAGE'] : known;
  const prefix = demand.libc?.kind === 'musl' ? 'pkgsMusl.' : '';
  const ofLibc = attributes.map((each) => `${prefix}${each}`);
  const versions = sonames.filter(hasManyVersions);
  const release = versions.length === 0 ? '' : `, from a nixpkgs that has ${listText(versions, MOST_NAMED)}`;
  const unknown = known.length === 0 ? [] : sonames.filter((soname) => knownProvider(soname) === undefined);
  const others = unknown.length === 0 ? '' : `, and what has ${listText(unknown, MOST_NAMED)}`;
  return `e.g. ${nixBuild(ofLibc, systemOf(demand))}${release}${others}, and try again`;
}

/** One clause for each package that nixpkgs has not: several libraries may be of one. */
function clausesOn(sonames: readonly string[], demand: Demand): string[] {
  const clauses = new Map<string, string>();
  for (const soname of sonames) {
    const absent = absentName(soname, systemOf(demand) ?? '');
    if (absent === undefined || clauses.has(absent.why)) continue;
    const { typedName } = demand;
    const remedy = absent.remedy.replace('PROGRAM', (word) => (typedName ? fileWord(typedName) : word));
    clauses.set(absent.why, `${soname} ${absent.why}; ${remedy}`);
  }
  return [...clauses.values()].slice(0, MOST_NAMED);
}

/**
 * What to do about libraries that the store lacks. Behind `lead`: what to type, attributes of nixpkgs where the table
 * of known providers has them, and the names that it does not have. Then, on its own, what nixpkgs does not have.
 */
export function bringing(sonames: readonly string[], demand: Demand = {}, lead = ''): string {
  const present = sonames.filter((soname) => absentName(soname, '') === undefined);
  const isLine = present.length > 0 || sonames.length === 0;
  const line = isLine ? [`${lead}${lineFor(present, demand)}`] : [];
  return [...line, ...clausesOn(sonames, demand)].join('; ');
}
