// A real input and numbers → one that is nearly right: what its form is made of, changed, repeated, moved, left out.
export type Random = (below: number) => number;

/** How an input is built, and so what can be changed of it. */
export type Form = 'elf' | 'json' | 'lines' | 'bytes';

/** Bytes: repetitions of repetitions are cut here. */
const LONGEST = 256 * 1024;

/** A changed copy of one of the seeds; others may lend pieces. */
export function mutate(form: Form, seeds: readonly Uint8Array[], random: Random): Buffer {
  const original = Buffer.from(pick(seeds, random));
  const other = pick(seeds, random);
  let bytes: Buffer<ArrayBufferLike> = original;
  for (let rounds = 1 + random(4); rounds > 0; rounds -= 1)
    bytes = changed(form, bytes, other, random).subarray(0, LONGEST);
  return Buffer.from(bytes);
}

export function pick<T>(from: readonly T[], random: Random): T {
  return from[random(from.length)] as T;
}

type Change = (bytes: Buffer, other: Uint8Array, random: Random) => Buffer;

function changed(form: Form, bytes: Buffer, other: Uint8Array, random: Random): Buffer {
  const own = BY_FORM[form];
  const changes = random(4) > 0 ? own : BYTES;
  return pick(changes, random)(bytes, other, random);
}

const NUMBERS = [0n, 1n, 2n, 3n, 7n, 8n, 0x7fn, 0xffn, 0x1000n, 0x7fff_ffffn, 0x8000_0000n, 0xffff_ffffn];
const WIDE = [(1n << 53n) - 1n, 1n << 53n, (1n << 62n) - 1n, 1n << 63n, (1n << 64n) - 1n];

function joined(bytes: Buffer, from: number, to: number, between: Uint8Array): Buffer {
  return Buffer.concat([bytes.subarray(0, from), between, bytes.subarray(to)]);
}

function range(length: number, random: Random, most = 64): [number, number] {
  const from = random(length + 1);
  return [from, Math.min(length, from + random(most) + 1)];
}

/** A number of 1, 2, 4 or 8 bytes at a place that is a multiple of it. */
function putNumber(bytes: Buffer, place: number, random: Random): Buffer {
  const size = pick([1, 2, 4, 8], random);
  const at = Math.max(0, Math.min(bytes.length - 8, place - (place % size)));
  if (bytes.length < 8) return bytes;
  const known = [...NUMBERS, ...WIDE, BigInt(bytes.length), BigInt(bytes.length - 1), BigInt(at)];
  const near = bytes.readBigUInt64LE(Math.min(at, bytes.length - 8)) + BigInt(random(5) - 2);
  const value = BigInt.asUintN(64, random(3) === 0 ? near : pick(known, random));
  const number = Buffer.alloc(8);
  number.writeBigUInt64LE(value);
  number.copy(bytes, at, 0, size);
  return bytes;
}

const BYTES: readonly Change[] = [
  (bytes, _, random) => {
    if (bytes.length > 0) bytes[random(bytes.length)] = random(256);
    return bytes;
  },
  (bytes, _, random) => bytes.subarray(0, random(bytes.length + 1)),
  (bytes, _, random) => joined(bytes, ...range(bytes.length, random), Buffer.alloc(0)),
  (bytes, other, random) =>
    joined(bytes, ...range(bytes.length, random), other.subarray(...range(other.length, random))),
  (bytes, _, random) => {
    const [from, to] = range(bytes.length, random);
    return joined(bytes, from, from, Buffer.concat(Array(1 + random(20)).fill(bytes.subarray(from, to))));
  },
  (bytes, _, random) => putNumber(bytes, random(bytes.length + 1), random),
  (bytes, _, random) => {
    bytes.fill(pick([0, 0xff, 0x80, 0x20], random), ...range(bytes.length, random));
    return bytes;
  },
];

/** The headers, the program headers, and what those point to. */
function hotSpot(bytes: Buffer, random: Random): number {
  const wide = bytes[4] === 2;
  const [first, each] = wide ? [64, 56] : [52, 32];
  const header = first + each * random(14) + 4 * random(each / 4);
  if (random(3) > 0 || header + 8 > bytes.length) return random(4) === 0 ? random(first) : header;
  const pointer = first + each * random(14) + (wide ? 8 : 4);
  if (pointer + 8 > bytes.length) return header;
  const offset = wide ? Number(bytes.readBigUInt64LE(pointer)) : bytes.readUInt32LE(pointer);
  return offset < bytes.length ? offset + random(256) : header;
}

const ELF: readonly Change[] = [
  (bytes, _, random) => putNumber(bytes, hotSpot(bytes, random), random),
  (bytes, _, random) => putNumber(bytes, hotSpot(bytes, random), random),
  // One program header, or dynamic entry, becomes another one.
  (bytes, _, random) => {
    const size = pick([16, 24, 32, 56], random);
    const [from, to] = [hotSpot(bytes, random), hotSpot(bytes, random)];
    bytes.copyWithin(to - (to % 8), from - (from % 8), from - (from % 8) + size);
    return bytes;
  },
];

const VALUES: readonly string[] = [
  'null',
  'true',
  '-1',
  '0.5',
  '1e400',
  '9007199254740993',
  '""',
  '"\\u0000"',
  '"\\ud800"',
  '"\\u001b[31m"',
  '"../../x"',
  '"__proto__"',
  '[]',
  '{}',
  '{"__proto__":{"x":1}}',
  '{"toString":null,"constructor":1}',
];

/** Where a value of JSON text begins and ends, at random; strings and numbers, and whole objects now and then. */
function valueIn(text: string, random: Random): [number, number] {
  const values = [
    ...text.matchAll(/"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*|true|false|null|\[[^[\]]*\]|\{[^{}]*\}/g),
  ];
  if (values.length === 0) return [0, text.length];
  const value = pick(values, random);
  return [value.index, value.index + value[0].length];
}

function onText(change: (text: string, other: string, random: Random) => string): Change {
  return (bytes, other, random) =>
    Buffer.from(change(bytes.toString('latin1'), Buffer.from(other).toString('latin1'), random), 'latin1');
}

const JSON_TEXT: readonly Change[] = [
  onText((text, _, random) => {
    const [from, to] = valueIn(text, random);
    return text.slice(0, from) + pick(VALUES, random) + text.slice(to);
  }),
  onText((text, other, random) => {
    const [from, to] = valueIn(text, random);
    return text.slice(0, from) + other.slice(...valueIn(other, random)) + text.slice(to);
  }),
  onText((text, _, random) => {
    const [from, to] = valueIn(text, random);
    return text.slice(0, from) + `${text.slice(from, to)},`.repeat(1 + random(300)) + text.slice(from);
  }),
  onText((text, _, random) => {
    const [from, to] = valueIn(text, random);
    const depth = pick([3, 30, 3000], random);
    return (
      text.slice(0, from) + '['.repeat(depth) + text.slice(from, to) + ']'.repeat(depth) + text.slice(to)
    );
  }),
  onText((text, _, random) => {
    const [from, to] = valueIn(text, random);
    return text.slice(0, from) + text.slice(to).replace(/^[,:]/, '');
  }),
];

const TOKENS: readonly string[] = [
  '',
  ' ',
  '\t',
  '\r',
  '\0',
  '\u001b[2J',
  '=',
  '"',
  "'",
  '\\',
  '%',
  '[',
  ']',
  '\u00c2\u009b',
  '\u00ed\u00a0\u0080',
  '-1',
  '99999999999999999999',
  '/nix/store/',
  '=> ',
  '../',
  'x'.repeat(5000),
  // What makes a search that goes back and forth take for ever.
  ' '.repeat(40_000),
  '\n'.repeat(40_000),
  '\\'.repeat(40_000),
  '"'.repeat(40_000),
  '0'.repeat(40_000),
];

function lineAt(lines: readonly string[], random: Random): number {
  return random(lines.length);
}

function onLines(change: (lines: string[], other: readonly string[], random: Random) => void): Change {
  return onText((text, other, random) => {
    const lines = text.split('\n');
    change(lines, other.split('\n'), random);
    return lines.join('\n');
  });
}

const LINES: readonly Change[] = [
  onLines((lines, _, random) => lines.splice(lineAt(lines, random), 1)),
  onLines((lines, other, random) => lines.splice(lineAt(lines, random), random(2), pick(other, random))),
  onLines((lines, _, random) => {
    const at = lineAt(lines, random);
    const line = lines[at] ?? '';
    lines.splice(
      at,
      0,
      ...Array<string>(1 + random(Math.min(200, 1 + LONGEST / (line.length + 1)) | 0)).fill(line),
    );
  }),
  onLines((lines, _, random) => {
    const at = lineAt(lines, random);
    const words = (lines[at] ?? '').split(/(?<=[ =:"'(),/\t])/);
    words.splice(random(words.length), random(2), pick(TOKENS, random));
    lines[at] = words.join('');
  }),
  onLines((lines, _, random) => {
    const at = lineAt(lines, random);
    const words = (lines[at] ?? '').split(/(?<=[ =:"'(),/\t])/);
    const word = random(words.length);
    words.splice(word, 0, (words[word] ?? '').slice(0, 1000).repeat(1 + random(300)));
    lines[at] = words.join('');
  }),
];

const BY_FORM: Readonly<Record<Form, readonly Change[]>> = {
  elf: ELF,
  json: [...JSON_TEXT, ...JSON_TEXT, LINES[3] as Change],
  lines: LINES,
  bytes: BYTES,
};
