// Entries of a file index → packages with their shared objects; everything else is passed over without a string made of
// it.
import { whyNoLibraryName } from '../elf/library-names.ts';
import { isStoreObjectName } from '../store/store-location.ts';
import { isSharedObjectPath, type OnEntry } from './frcode.ts';

/** A shared object by its name: what may be one, since an index does not look into files. */
export interface IndexedFile {
  /** Base name: ends with `.so`, or has `.so.` in it. */
  readonly name: string;
  /** Directory in the store object, without slashes around it: `lib`, or empty. */
  readonly dir: string;
  readonly kind: 'regular' | 'executable' | 'link';
  /** Bytes; 0 for links. */
  readonly size: number;
  /** Of a link, as it is written; else empty. */
  readonly target: string;
}

/** A store object that an index names. */
export interface IndexedObject {
  /** `<hash>-<name>`. */
  readonly name: string;
  /** Attribute and output of nixpkgs; for objects that are not `toplevel` those of who refers to it. May be empty. */
  readonly attr: string;
  readonly output: string;
  readonly toplevel: boolean;
  /** `x86_64-linux`; empty where the index does not say. */
  readonly system: string;
}

/** With the output, as for `nix-build '<nixpkgs>' -A`; empty where the index has none of its own for it. */
export function attributeOf({ attr, output, toplevel }: IndexedObject): string {
  if (!toplevel || attr === '') return '';
  return output === '' || output === 'out' ? attr : `${attr}.${output}`;
}

export interface PackageObjects {
  readonly object: IndexedObject;
  readonly files: readonly IndexedFile[];
}

/** What was seen on the way. */
export interface EntryCounts {
  entries: number;
  packages: number;
  /** Packages with shared objects, and these. */
  objects: number;
  files: number;
  /** Names and packages that nobody may be given: other stores, `..`, control characters. */
  ignored: number;
  /** Packages that begin outside `/bin`, which is itself inside: without any, the index was made of programs only. */
  outsideBin: number;
}

export function noCounts(): EntryCounts {
  return { entries: 0, packages: 0, objects: 0, files: 0, ignored: 0, outsideBin: 0 };
}

/** Many times as many as an index of all of nixpkgs has (130 thousand). */
const MOST_FILES = 1 << 21;

const SLASH = 0x2f;

/** With `--filter-prefix /bin` an index has the directory itself too, with `/bin/` only what is in it. */
function isBin(path: Uint8Array, length: number): boolean {
  if (length < 4 || path[0] !== SLASH || (length > 4 && path[4] !== SLASH)) return false;
  return path[1] === 0x62 && path[2] === 0x69 && path[3] === 0x6e;
}

function latin1(bytes: Uint8Array, from: number, to: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString('latin1');
}

const KINDS: Readonly<Record<string, IndexedFile['kind']>> = { r: 'regular', x: 'executable', s: 'link' };

/** Printable ASCII, and no component that leads elsewhere. */
function isPlainDirectory(dir: string): boolean {
  if (dir === '') return true;
  if (/[^ -~]/.test(dir) || dir.length > 1024) return false;
  return dir.split('/').every((part) => part !== '' && part !== '.' && part !== '..');
}

/** The part of an entry that is kept; undefined where it may not be given to anybody. `path` begins with a slash. */
export function toIndexedFile(
  path: string,
  kind: IndexedFile['kind'],
  value: string,
): IndexedFile | undefined {
  const cut = path.lastIndexOf('/');
  const [dir, name] = [path.slice(1, Math.max(cut, 1)), path.slice(cut + 1)];
  if (!path.startsWith('/') || whyNoLibraryName(name) !== undefined || !isPlainDirectory(dir))
    return undefined;
  if (kind === 'link') {
    const isPlain = value !== '' && value.length <= 4096 && !/[^ -~]/.test(value);
    return isPlain ? { name, dir, kind, size: 0, target: value } : undefined;
  }
  const size = /^\d{1,15}$/.test(value) ? Number(value) : undefined;
  return size === undefined ? undefined : { name, dir, kind, size, target: '' };
}

interface Footer {
  readonly object: IndexedObject;
  readonly storeDir: string;
}

function textIn(value: unknown, longest: number): string {
  return typeof value === 'string' && value.length <= longest && !/[^ -~]/.test(value) ? value : '';
}

type ObjectFields = Readonly<Record<string, unknown>>;

function fieldsOf(value: unknown): ObjectFields | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as ObjectFields)
    : undefined;
}

/** The JSON behind a package's files (nix-index 0.1.11, src/package.rs). Undefined: none. */
function readFooter(json: string): Footer | undefined {
  let fields: ObjectFields | undefined;
  try {
    fields = fieldsOf(JSON.parse(json));
  } catch {
    return undefined;
  }
  const origin = fieldsOf(fields?.['origin']);
  const { store_dir: storeDir, hash, name } = fields ?? {};
  if (origin === undefined || [storeDir, hash, name].some((each) => typeof each !== 'string'))
    return undefined;
  const object = {
    name: `${hash}-${name}`,
    attr: textIn(origin['attr'], 1024),
    output: textIn(origin['output'], 255),
    toplevel: origin['toplevel'] === true,
    system: textIn(origin['system'], 64),
  };
  return { object, storeDir: String(storeDir) };
}

/** Whether a store object may be asked of Nix by its name. */
export function isUsableObject(name: string): boolean {
  return isStoreObjectName(name) && !name.endsWith('.drv');
}

interface PackageCollector {
  /** Takes the entries that are of interest to `libraries`. */
  readonly entry: OnEntry;
  /** Ends the last package. Returns what is wrong. */
  end(): string | undefined;
  readonly counts: EntryCounts;
}

const UTF8 = new TextDecoder('utf-8', { fatal: true });

function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return UTF8.decode(bytes);
  } catch {
    return undefined;
  }
}

/**
 * Collects the shared objects of each package until its footer, which says what package it was.
 * `give` gets only packages of this store that have some.
 */
export function collectPackages(storeDir: string, give: (found: PackageObjects) => void): PackageCollector {
  const counts = noCounts();
  let files: IndexedFile[] = [];
  let isWithin = false;

  const addFile = (metadata: Uint8Array, length: number, path: Uint8Array, pathLength: number) => {
    const kind = KINDS[String.fromCharCode(metadata[length - 1] ?? 0)];
    if (kind === undefined) return;
    const file = toIndexedFile(latin1(path, 0, pathLength), kind, latin1(metadata, 0, length - 1));
    if (file === undefined) counts.ignored += 1;
    else files.push(file);
  };

  const endPackage = (bytes: Uint8Array): string | undefined => {
    counts.packages += 1;
    const [collected, begins] = [files, bytes[0] === 0x7b && bytes.at(-1) === 0x7d];
    [files, isWithin] = [[], false];
    if (!begins) return 'the end of a package is no JSON';
    if (collected.length === 0) return undefined;
    const json = decodeUtf8(bytes);
    const footer = json === undefined ? undefined : readFooter(json);
    if (footer === undefined) return 'the end of a package is no JSON';
    if (footer.storeDir !== storeDir || !isUsableObject(footer.object.name)) {
      counts.ignored += 1;
      return undefined;
    }
    counts.objects += 1;
    counts.files += collected.length;
    give({ object: footer.object, files: collected });
    return counts.files > MOST_FILES ? `it has more than ${MOST_FILES} shared objects` : undefined;
  };

  return {
    counts,
    entry: (metadata, metadataLength, path, pathLength) => {
      if (metadataLength === 1 && metadata[0] === 0x70) return endPackage(path.subarray(0, pathLength));
      isWithin = true;
      if (counts.outsideBin === 0 && !isBin(path, pathLength)) counts.outsideBin += 1;
      if (!isSharedObjectPath(path, pathLength)) return undefined;
      addFile(metadata, metadataLength, path, pathLength);
      return files.length > MOST_FILES ? `it has more than ${MOST_FILES} shared objects` : undefined;
    },
    end: () => (!isWithin ? undefined : 'its last package has no end'),
  };
}
