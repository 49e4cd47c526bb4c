// A file that an index has under a wanted name → why it cannot be what is wanted, before anything is downloaded.
import path from 'node:path';
import { configurationNamed } from '../elf/machine.ts';
import { nameOfStoreObject } from '../store/store-location.ts';
import { type PackageName, packageName } from './package-name.ts';
import type { IndexMatch, SideCatalogue } from './side-catalogue.ts';

/** What the libraries are for. */
export interface Target {
  /** `x86_64-linux`. */
  readonly system: string;
  /** The multiarch directory: `x86_64-linux-gnu`. */
  readonly triple: string;
  readonly bits: 32 | 64;
}

export type Unsuitable =
  | 'system'
  | 'tree'
  | 'output'
  | 'directory'
  | 'linker script'
  | 'dangling link'
  /** A link into another package that is a candidate itself. */
  | 're-export';

/** Trees of another distribution, bundles and bootstrap tools: libraries of many packages, for one program. */
const TREE =
  /(^|-)(fhs|fhsenv|fhs-?env-rootfs|usr-target|usr-multi|rootfs|steam|steam-run|wine(-wow|-wayland|-staging)?|appimage|extracted|bwrap|bootstrap|bootstrap-tools|sandbox|runtime-bundle|xorg_sys_opengl)(-|$)|-fhs($|-)/;

const NO_LIBRARIES = /^(debug|doc|man|info|static|devdoc)$/;

/** A regular file below this is a linker script or a stub of text: no ELF library is as small. */
const SMALLEST = 512;

/** More links than the kernel follows. */
const MOST_LINKS = 8;

function isWrongSystem({ object }: IndexMatch, { system, bits }: Target): boolean {
  // 32-bit libraries come as what 64-bit packages refer to, and bear their system.
  return bits === 64 && object.system !== '' && object.system !== system;
}

/** By the store object's name, which tells all but `out`; what is not `toplevel` has the output of who refers to it. */
export function outputOf({ object }: IndexMatch, { output }: PackageName): string {
  return output !== '' || !object.toplevel ? output : object.output;
}

function isWrongOutput(match: IndexMatch, named: PackageName): boolean {
  const output = outputOf(match, named);
  if (NO_LIBRARIES.test(output)) return true;
  return output === 'dev' && !match.name.endsWith('.so');
}

const FOREIGN_PART = /^(debug|stubs?|site-packages|dist-packages|node_modules|jre|musl|\.debug|gconv)$/;
/** `i386-linux-gnu` and `i686-linux-gnu` are one machine, and so are directories and triples of these names. */
const X86_32 = /^i[3-6]86(-.*)?$/;
/** glibc's ABIs; x32 is none of a 64-bit program (config.sub). */
const GNU = /^(gnu(?!x32).*)?$/;

/** By the name of a machine, or a configuration name. */
function isForOthers(part: string, { system, triple }: Target): boolean {
  if (X86_32.test(part) && !X86_32.test(triple)) return true;
  const { processor, abi } = configurationNamed(part) ?? {};
  if (processor === undefined || abi === undefined) return false;
  const isOwn = [system, triple].some((each) => each.startsWith(`${processor}-`)) || X86_32.test(processor);
  return !isOwn || !GNU.test(abi);
}

function isWrongDirectory({ dir }: IndexMatch, target: Target): boolean {
  const { bits } = target;
  return dir.split('/').some((part) => {
    if (FOREIGN_PART.test(part) || part.endsWith('.libs')) return true;
    if (part === 'lib32' || part === 'libx32') return bits === 64;
    if (part === 'lib64') return bits === 32;
    return isForOthers(part, target);
  });
}

type LinkEnd =
  | { readonly kind: 'file'; readonly match: IndexMatch }
  /** It leads into this store object; `match` is there if the index has it. */
  | { readonly kind: 'elsewhere'; readonly object: string; readonly match: IndexMatch | undefined }
  | { readonly kind: 'nowhere' };

/**
 * An index has a link to a directory as a link, and nothing below it: where `lib64` leads to `lib`, as it often does,
 * what is to be `lib64/libfoo.so.1` is what the same package has under that name elsewhere.
 */
function behindLinkedDirectory(
  catalogue: SideCatalogue,
  { object, dir, name: own }: IndexMatch,
  name: string,
): IndexMatch | undefined {
  const found = catalogue.filesIn(object, name).filter((each) => each.dir !== dir || each.name !== own);
  return found.find(({ kind }) => kind !== 'link') ?? found[0];
}

/** Where a link of a store object leads; a name that cannot be looked up, as it has no `.so`, is taken for a file. */
function follow(catalogue: SideCatalogue, match: IndexMatch): LinkEnd {
  let at = match;
  for (let links = 0; at.kind === 'link'; links += 1) {
    if (links === MOST_LINKS) return { kind: 'nowhere' };
    const here = path.posix.join(catalogue.storeDir, at.object.name, at.dir);
    const target = path.posix.resolve(here, at.target);
    if (!target.startsWith(`${catalogue.storeDir}/`)) return { kind: 'nowhere' };
    const [object = '', ...rest] = target.slice(catalogue.storeDir.length + 1).split('/');
    const [name, dir] = [rest.at(-1) ?? '', rest.slice(0, -1).join('/')];
    if (object !== at.object.name)
      return { kind: 'elsewhere', object, match: catalogue.fileOf(object, dir, name) };
    if (!/\.so($|\.)/.test(name)) return { kind: 'file', match: at };
    const next = catalogue.fileIn(at.object, dir, name) ?? behindLinkedDirectory(catalogue, at, name);
    if (next === undefined) return { kind: 'nowhere' };
    at = next;
  }
  return { kind: 'file', match: at };
}

/** What a candidate is, beyond what makes it unsuitable. */
export interface Examined {
  readonly match: IndexMatch;
  readonly package: PackageName;
  /** Its file is a link into another package. */
  readonly isReExport: boolean;
}

/** `others`: the names of all store objects that have the wanted name. */
export function examine(
  catalogue: SideCatalogue,
  match: IndexMatch,
  target: Target,
  others: ReadonlySet<string>,
): Examined | Unsuitable {
  const storeName = nameOfStoreObject(match.object.name);
  const named = packageName(storeName);
  if (isWrongSystem(match, target)) return 'system';
  if (TREE.test(storeName)) return 'tree';
  if (isWrongOutput(match, named)) return 'output';
  if (isWrongDirectory(match, target)) return 'directory';
  const end = follow(catalogue, match);
  if (end.kind === 'nowhere') return 'dangling link';
  const file = end.match;
  if (file !== undefined && file.kind !== 'link' && file.size < SMALLEST) return 'linker script';
  if (end.kind === 'elsewhere' && others.has(end.object)) return 're-export';
  return { match, package: named, isReExport: end.kind === 'elsewhere' };
}
