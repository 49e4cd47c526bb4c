// What a binary cache says of a store path → its shared objects, and the store paths that it refers to.
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib';
import { isSharedObjectPath } from './frcode.ts';
import { type IndexedFile, isUsableObject, toIndexedFile } from './package-objects.ts';

export interface NarInfo {
  /** `<hash>-<name>`. */
  readonly name: string;
  readonly storeDir: string;
  readonly references: readonly string[];
  /** Bytes, as sent and in the store; 0 where the cache does not say. What it sends is taken for as much then. */
  readonly download: number;
  readonly unpacked: number;
}

/** Bytes, unpacked. */
const LARGEST_LISTING = 256 << 20;
const LARGEST_NARINFO = 16 << 20;

/**
 * Caches send files as they are, or packed as `ls-compression` and `narinfo-compression` of their store say, and do not
 * always say so: the first bytes tell. Node has no xz and no bzip2.
 */
function unpack(bytes: Buffer, maxOutputLength: number): Buffer | undefined {
  const limit = { maxOutputLength };
  try {
    if (bytes[0] === 0x7b) return bytes;
    if (bytes.length >= 4 && bytes.readUInt32LE() === 0xfd2fb528) return zstdDecompressSync(bytes, limit);
    if (bytes[0] === 0x1f && bytes[1] === 0x8b) return gunzipSync(bytes, limit);
    return brotliDecompressSync(bytes, limit);
  } catch {
    return undefined;
  }
}

/** Reads a .narinfo as a cache sends it. Total. */
export function narInfoIn(bytes: Buffer): NarInfo | undefined {
  const isPlain = bytes.subarray(0, 10).equals(Buffer.from('StorePath:'));
  const plain = isPlain ? bytes : (unpack(bytes, LARGEST_NARINFO) ?? bytes);
  return readNarInfo(plain.toString('latin1'));
}

/** Reads the text of a .narinfo (Nix: src/libstore/nar-info.cc). Total. */
export function readNarInfo(text: string): NarInfo | undefined {
  const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(text)?.[1]?.trim();
  const match = /^(\/.*)\/([^/]+)$/.exec(field('StorePath') ?? '');
  if (match === null) return undefined;
  const [, storeDir = '', name = ''] = match;
  if (!isUsableObject(name)) return undefined;
  const references = (field('References') ?? '').split(' ').filter(isUsableObject);
  const bytes = (key: string) => Number(/^\d{1,15}$/.exec(field(key) ?? '')?.[0] ?? 0);
  const unpacked = bytes('NarSize');
  return { name, storeDir, references, download: bytes('FileSize') || unpacked, unpacked };
}

/** Deeper trees are no package. */
const DEEPEST = 64;
const MOST_FILES = 1 << 20;

type ListingFields = Readonly<Record<string, unknown>>;

function fieldsOf(value: unknown): ListingFields | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as ListingFields)
    : undefined;
}

function fileOf(pathname: string, node: ListingFields): IndexedFile | undefined {
  const bytes = Buffer.from(pathname, 'utf8');
  if (!isSharedObjectPath(bytes, bytes.length)) return undefined;
  if (node['type'] === 'symlink') return toIndexedFile(pathname, 'link', String(node['target']));
  if (node['type'] !== 'regular') return undefined;
  return toIndexedFile(
    pathname,
    node['executable'] === true ? 'executable' : 'regular',
    String(node['size']),
  );
}

/** Undefined: it is no listing. Names that may not be given to anybody are left out. */
export function readListing(packed: Buffer): readonly IndexedFile[] | undefined {
  const bytes = unpack(packed, LARGEST_LISTING);
  let root: ListingFields | undefined;
  try {
    root = bytes === undefined ? undefined : fieldsOf(fieldsOf(JSON.parse(bytes.toString('utf8')))?.['root']);
  } catch {
    return undefined;
  }
  return root === undefined ? undefined : walk(root);
}

function walk(root: ListingFields): IndexedFile[] | undefined {
  const files: IndexedFile[] = [];
  const waiting: { at: string; depth: number; node: ListingFields }[] = [{ at: '', depth: 0, node: root }];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { at, depth, node } = next;
    const file = fileOf(at, node);
    if (file !== undefined) files.push(file);
    if (depth > DEEPEST || files.length > MOST_FILES) return undefined;
    for (const [name, below] of Object.entries(fieldsOf(node['entries']) ?? {})) {
      const child = fieldsOf(below);
      if (child !== undefined && !name.includes('/'))
        waiting.push({ at: `${at}/${name}`, depth: depth + 1, node: child });
    }
  }
  return files;
}
