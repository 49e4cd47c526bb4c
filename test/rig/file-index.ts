// Trees of store objects → the bytes of a nix-index database, version 1 or 2; it shares no code with the reader.
import { constants, zstdCompressSync } from 'node:zlib';

/** A file, a link, or a directory. Names are bytes, one character each (latin1). */
export type Tree =
  | { readonly kind: 'file'; readonly size: number; readonly executable?: boolean }
  | { readonly kind: 'link'; readonly target: string }
  | { readonly kind: 'directory'; readonly entries: Readonly<Record<string, Tree>> };

export interface IndexedPackage {
  readonly hash: string;
  readonly name: string;
  readonly attr?: string;
  readonly output?: string;
  readonly toplevel?: boolean;
  /** Null writes null, undefined leaves it out as databases before 2022-10 do. */
  readonly system?: string | null | undefined;
  readonly storeDir?: string;
  readonly tree: Tree;
}

/** One entry as the index has it: what stands before the NUL, and the path; one character a byte. */
export interface Entry {
  readonly metadata: string;
  readonly path: string;
}

const bytesOf = (text: string): Buffer => Buffer.from(text, 'latin1');

/** Entries of a tree: parents first, names descending (nix-index 0.1.11, src/files.rs). */
export function entriesOf(tree: Tree, path = ''): Entry[] {
  switch (tree.kind) {
    case 'file':
      return [{ metadata: `${tree.size}${tree.executable === true ? 'x' : 'r'}`, path }];
    case 'link':
      return [{ metadata: `${tree.target}s`, path }];
    case 'directory': {
      const names = Object.keys(tree.entries).sort().reverse();
      const below = names.flatMap((name) => entriesOf(tree.entries[name] as Tree, `${path}/${name}`));
      return [{ metadata: `${names.length}d`, path }, ...below];
    }
  }
}

/** The JSON behind a package's entries; `JSON.stringify` puts no blanks in it, as serde_json does not. */
export function footerOf(each: IndexedPackage): string {
  const { storeDir = '/nix/store', hash, name, attr = name, output = 'out', toplevel = true } = each;
  const origin = { attr, output, toplevel, system: 'system' in each ? each.system : 'x86_64-linux' };
  return Buffer.from(JSON.stringify({ store_dir: storeDir, hash, name, origin })).toString('latin1');
}

function differenceBytes(difference: number): Buffer {
  if (Math.abs(difference) <= 126) return Buffer.from([difference & 0xff]);
  const wide = Buffer.alloc(3, 0x80);
  wide.writeInt16BE(difference, 1);
  return wide;
}

function sharedPrefix(left: Buffer, right: Buffer): number {
  // The encoder's difference has 16 bits.
  const most = Math.min(left.length, right.length, 32_767);
  let length = 0;
  while (length < most && left[length] === right[length]) length += 1;
  return length;
}

/** Front-codes entries that follow each other; `sharedAtEnd` 0 is how a package leaves the state behind. */
export function frontCode(entries: readonly Entry[]): Buffer {
  const pieces: Buffer[] = [];
  let [previous, shared]: [Buffer, number] = [Buffer.alloc(0), 0];
  for (const { metadata, path } of entries) {
    const bytes = bytesOf(path);
    const isFooter = metadata === 'p';
    const now = isFooter ? 0 : sharedPrefix(previous, bytes);
    pieces.push(bytesOf(`${metadata}\0`), differenceBytes(now - shared), bytes.subarray(now), bytesOf('\n'));
    [previous, shared] = isFooter ? [Buffer.alloc(0), 0] : [bytes, now];
  }
  return Buffer.concat(pieces);
}

/** One package: its entries and its footer. `prefix`: what `--filter-prefix` of nix-index does. */
export function packageBytes(each: IndexedPackage, prefix = ''): Buffer {
  const entries = entriesOf(each.tree).filter(({ path }) => path.startsWith(prefix));
  return frontCode([...entries, { metadata: 'p', path: footerOf(each) }]);
}

export function zstdFrame(bytes: Uint8Array, level = 3, checksum = false): Buffer {
  const params = {
    [constants.ZSTD_c_compressionLevel]: level,
    [constants.ZSTD_c_checksumFlag]: Number(checksum),
  };
  return zstdCompressSync(bytes, { params });
}

export function skippableFrame(payload: Uint8Array, magic = 0x184d2a50): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32LE(magic, 0);
  head.writeUInt32LE(payload.length, 4);
  return Buffer.concat([head, payload]);
}

export function header(version: number | bigint): Buffer {
  const bytes = Buffer.from('NIXI\0\0\0\0\0\0\0\0', 'latin1');
  bytes.writeBigUInt64LE(BigInt(version), 4);
  return bytes;
}

export function versionOne(...frames: readonly Uint8Array[]): Buffer {
  return Buffer.concat([header(1), ...frames]);
}

/** The table behind the frames of version 2. */
export function seekTable(frames: readonly Uint8Array[]): Buffer {
  const length = 8 + 4 * frames.length;
  const payload = Buffer.alloc(length);
  [frames.length, ...frames.map((each) => each.length), length].forEach((word, i) => {
    payload.writeUInt32LE(word, 4 * i);
  });
  return skippableFrame(payload);
}

export function versionTwo(...frames: readonly Uint8Array[]): Buffer {
  return Buffer.concat([header(2), ...frames, seekTable(frames)]);
}

/** `count` groups of packages, each of about the same number, as the builder's processors make them. */
export function inGroups<T>(all: readonly T[], count: number): T[][] {
  const size = Math.max(1, Math.ceil(all.length / count));
  return Array.from({ length: Math.ceil(all.length / size) }, (_, i) => all.slice(i * size, (i + 1) * size));
}

/** A whole database. `frames` is what version 2 cuts it into. */
export function databaseOf(packages: readonly IndexedPackage[], version: 1 | 2 = 1, frames = 3): Buffer {
  const all = (group: readonly IndexedPackage[]) =>
    zstdFrame(Buffer.concat(group.map((each) => packageBytes(each))));
  return version === 1 ? versionOne(all(packages)) : versionTwo(...inGroups(packages, frames).map(all));
}

/** `{ 'lib/libfoo.so.1.2': 16384, 'lib/libfoo.so.1': '-> libfoo.so.1.2' }` → a tree. */
export function treeOf(files: Readonly<Record<string, number | string>>): Tree {
  const root: Record<string, Tree> = {};
  for (const [path, what] of Object.entries(files)) {
    const parts = path.split('/');
    let entries = root;
    for (const part of parts.slice(0, -1)) {
      entries[part] ??= { kind: 'directory', entries: {} };
      const directory = entries[part];
      if (directory?.kind !== 'directory') throw new Error(`${path}: ${part} is no directory`);
      entries = directory.entries as Record<string, Tree>;
    }
    entries[parts.at(-1) ?? ''] =
      typeof what === 'number'
        ? { kind: 'file', size: what, executable: true }
        : { kind: 'link', target: what.replace(/^-> /, '') };
  }
  return { kind: 'directory', entries: root };
}

/** 32 digits of Nix's base 32 that belong to a number. */
export function hashOf(number: number): string {
  const digits = '0123456789abcdfghijklmnpqrsvwxyz';
  let [text, rest] = ['', number];
  while (text.length < 32) {
    text = (digits[rest % 32] as string) + text;
    rest = Math.floor(rest / 32);
  }
  return text;
}
