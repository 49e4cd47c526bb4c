// Bytes of front-coded entries, in pieces → one call for each entry, with its metadata and its path.

/** Longer metadata or paths are no index: PATH_MAX is 4096. */
const LONGEST = 65_536;

const NUL = 0;
const NEWLINE = 0x0a;
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

export interface FrcodeDecoder {
  /** Takes the next bytes, however they were cut. Returns what is wrong with them; nothing may be fed after that. */
  feed(bytes: Uint8Array): string | undefined;
  /** Ends the stream: gives the last entry. Returns what is wrong. */
  end(): string | undefined;
}

const STATE = { text: 0, diff: 1, high: 2, low: 3 } as const;

/**
 * Decodes `metadata NUL diff rest NEWLINE`, where a path is the first `shared` bytes of the one before and `rest`, and
 * `diff` changes `shared` (nix-index 0.1.11, src/frcode.rs). A path may hold newlines, as its encoder does not look for
 * them; so a path is known to end only where the next metadata does. Nothing is allocated for an entry.
 */
export function frcodeDecoder(onEntry: OnEntry): FrcodeDecoder {
  /** The path, a newline, and the metadata of the next entry. */
  const text = new Uint8Array(2 * LONGEST + 2);
  const metadata = new Uint8Array(LONGEST);
  let length = 0;
  let metadataLength = -1;
  let pathLength = 0;
  let shared = 0;
  let high = 0;
  let state: 0 | 1 | 2 | 3 = STATE.text;

  /** Splits the text, gives the entry that it ends, and keeps the metadata of the next one. */
  const endText = (): string | undefined => {
    let begin = length;
    if (metadataLength >= 0) {
      while (begin > shared && text[begin - 1] !== NEWLINE) begin -= 1;
      if (begin === shared) return 'an entry without an end';
      pathLength = begin - 1;
      if (pathLength > LONGEST) return `a path of more than ${LONGEST} bytes`;
      const wrong = onEntry(metadata, metadataLength, text, pathLength);
      if (wrong !== undefined) return wrong;
    } else begin = 0;
    metadataLength = length - begin;
    if (metadataLength > LONGEST) return `metadata of more than ${LONGEST} bytes`;
    for (let i = 0; i < metadataLength; i += 1) metadata[i] = text[begin + i] as number;
    return undefined;
  };

  const moveBy = (diff: number): string | undefined => {
    shared += diff;
    if (metadataLength === 0) return 'an entry without metadata';
    if (shared < 0 || shared > pathLength) return 'an entry that shares more than there is';
    length = shared;
    state = STATE.text;
    return undefined;
  };

  const feed = (bytes: Uint8Array): string | undefined => {
    const count = bytes.length;
    let i = 0;
    while (i < count) {
      let wrong: string | undefined;
      if (state === STATE.text) {
        const end = Math.min(count, i + text.length - length);
        let byte = -1;
        let at = length;
        // Nearly all of the time is spent here: 20 bytes for each of 16 million entries.
        for (; i < end; i += 1) {
          byte = bytes[i] as number;
          if (byte === NUL) break;
          text[at] = byte;
          at += 1;
        }
        length = at;
        if (i === end) {
          if (length < text.length) return undefined;
          return `an entry of more than ${LONGEST} bytes`;
        }
        wrong = endText();
        state = STATE.diff;
      } else {
        const byte = bytes[i] as number;
        if (state === STATE.diff) {
          if (byte === WIDE) state = STATE.high;
          else wrong = moveBy(byte > 127 ? byte - 256 : byte);
        } else if (state === STATE.high) {
          high = byte;
          state = STATE.low;
        } else wrong = moveBy((((high << 8) | byte) << 16) >> 16);
      }
      i += 1;
      if (wrong !== undefined) return wrong;
    }
    return undefined;
  };

  const end = (): string | undefined => {
    if (state !== STATE.text || (metadataLength < 0 && length > 0)) return 'it ends within an entry';
    if (metadataLength < 0) return undefined;
    const wrong = endText();
    if (wrong !== undefined) return wrong;
    return metadataLength === 0 ? undefined : 'it ends within an entry';
  };

  return { feed, end };
}
