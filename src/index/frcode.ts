// Bytes of front-coded entries, in pieces → one call for each entry that matters, with its metadata and its path.

/** Longer metadata or paths are no index: PATH_MAX is 4096. */
const LONGEST = 65_536;

/** Several times as many as an index of all of nixpkgs has (16 million entries). */
const MOST_ENTRIES = 1 << 27;
const MOST_OF_PACKAGE = 1 << 22;

const NUL = 0;
const NEWLINE = 0x0a;
const SLASH = 0x2f;
const DOT = 0x2e;
const [S, O, P] = [0x73, 0x6f, 0x70];
/** Stands for a difference in the two bytes behind it, most significant first. */
const WIDE = 0x80;

/**
 * Gets one entry; only the first bytes of both buffers are meant, and both change after the call.
 * A text stops the decoder: it says what is wrong.
 */
export type OnEntry = (
  metadata: Uint8Array,
  metadataLength: number,
  path: Uint8Array,
  pathLength: number,
) => string | undefined;

interface FrcodeDecoder {
  /** Takes the next bytes, however they were cut. Returns what is wrong with them; nothing may be fed after that. */
  feed(bytes: Uint8Array): string | undefined;
  /** Ends the stream: gives the last entry. Returns what is wrong. */
  end(): string | undefined;
  /** How many entries there were, without the ends of packages. */
  entries(): number;
}

/**
 * `every`: entries of any kind. `libraries`: shared objects by their name, the ends of packages, and the first entry of
 * each package, which tells whether the index has more than one directory.
 */
type Interest = 'every' | 'libraries';

/** Whether the last component ends with `.so`, or has `.so.` in it. */
export function isSharedObjectPath(path: Uint8Array, length: number): boolean {
  for (let at = length - 1; at >= 0; at -= 1) {
    const byte = path[at];
    if (byte === SLASH) return false;
    if (byte !== DOT || path[at + 1] !== S || path[at + 2] !== O || at + 3 > length) continue;
    if (at + 3 === length || path[at + 3] === DOT) return true;
  }
  return false;
}

/** What ends the last entry: another one that has nothing. */
const CLOSING = Uint8Array.of(NUL);
const NO_METADATA = 'an entry without metadata';

const STATE = { text: 0, diff: 1, high: 2, low: 3 } as const;

/**
 * Decodes `metadata NUL diff rest NEWLINE`, where a path is the first `shared` bytes of the one before and `rest`, and
 * `diff` changes `shared` (nix-index 0.1.11, src/frcode.rs). A path may hold newlines, as its encoder does not look for
 * them; so a path is known to end only where the next metadata does. Nothing is allocated for an entry.
 */
export function frcodeDecoder(onEntry: OnEntry, interest: Interest = 'every'): FrcodeDecoder {
  /** The path, a newline, and the metadata of the next entry. */
  const text = new Uint8Array(2 * LONGEST + 2);
  const metadata = new Uint8Array(text.length);
  const isEvery = interest === 'every';
  /** What stays from one piece to the next. `metadataLength` is -1 before the first entry. */
  const saved = {
    state: 0,
    length: 0,
    metadataLength: -1,
    pathLength: 0,
    shared: 0,
    high: 0,
    entries: 0,
    ofPackage: 0,
  };

  const whyTooMuch = (pathLength: number, entries: number, ofPackage: number): string | undefined => {
    if (pathLength > LONGEST) return `a path of more than ${LONGEST} bytes`;
    if (ofPackage > MOST_OF_PACKAGE) return 'a package without an end';
    return entries > MOST_ENTRIES ? `it has more than ${MOST_ENTRIES} entries` : undefined;
  };

  /**
   * One function without calls for what is of no interest, and its state in locals: with 20 bytes for each of 16
   * million entries, anything else takes twice as long.
   */
  const feed = (bytes: Uint8Array): string | undefined => {
    const count = bytes.length;
    let { state, length, metadataLength, pathLength, shared, high, entries, ofPackage } = saved;
    for (let i = 0; i < count; i += 1) {
      let byte = bytes[i] as number;
      if (state === STATE.text) {
        const end = Math.min(count, i + text.length - length);
        while (byte !== NUL) {
          text[length] = byte;
          length += 1;
          i += 1;
          if (i >= end) break;
          byte = bytes[i] as number;
        }
        if (length === text.length) return `an entry of more than ${LONGEST} bytes`;
        if (i >= end) break;
        let begin = 0;
        if (metadataLength >= 0) {
          begin = length;
          while (begin > shared && text[begin - 1] !== NEWLINE) begin -= 1;
          if (begin === shared) return 'an entry without an end';
          pathLength = begin - 1;
          const isFooter = metadataLength === 1 && metadata[0] === P;
          entries += isFooter ? 0 : 1;
          ofPackage = isFooter ? 0 : ofPackage + 1;
          const tooMuch = whyTooMuch(pathLength, entries, ofPackage);
          if (tooMuch !== undefined) return tooMuch;
          if (isEvery || ofPackage <= 1 || isSharedObjectPath(text, pathLength)) {
            const wrong = onEntry(metadata, metadataLength, text, pathLength);
            if (wrong !== undefined) return wrong;
          }
        }
        metadataLength = length - begin;
        for (let at = 0; at < metadataLength; at += 1) metadata[at] = text[begin + at] as number;
        if (metadataLength === 0) return NO_METADATA;
        if (metadataLength > LONGEST) return `metadata of more than ${LONGEST} bytes`;
        state = STATE.diff;
      } else if (state === STATE.diff && byte === WIDE) state = STATE.high;
      else if (state === STATE.high) {
        high = byte;
        state = STATE.low;
      } else {
        shared += state === STATE.low ? (((high << 8) | byte) << 16) >> 16 : (byte << 24) >> 24;
        if (shared < 0 || shared > pathLength) return 'an entry that shares more than there is';
        length = shared;
        state = STATE.text;
      }
    }
    Object.assign(saved, { state, length, metadataLength, pathLength, shared, high, entries, ofPackage });
    return undefined;
  };

  /** The last entry ends as if the metadata of another one began. */
  const end = (): string | undefined => {
    if (saved.state !== STATE.text) return 'it ends within an entry';
    if (saved.metadataLength < 0) return saved.length === 0 ? undefined : 'it ends within an entry';
    if (text[saved.length - 1] !== NEWLINE || saved.length === saved.shared) return 'it ends within an entry';
    const wrong = feed(CLOSING);
    return wrong === NO_METADATA ? undefined : wrong;
  };

  return { feed, end, entries: () => saved.entries };
}
