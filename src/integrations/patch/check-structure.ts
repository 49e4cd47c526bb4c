// A program and its patched copy → what is wrong with the copy, by a reader that knows nothing of how it was made.

import { DYNAMIC_TAG } from '../../elf/dynamic.ts';
import { PF_W } from '../../elf/gabi.ts';
import { readElf } from '../../elf/read-elf.ts';
import type { ByteSource } from '../../elf/reader.ts';
import { Malformed } from '../../elf/reader.ts';
import { SEGMENT_TYPE, type Segment } from '../../elf/segments.ts';
import { readSymbols } from '../../elf/symbols.ts';
import { largestPage } from './edit-by-segment.ts';
import { type EditedImage, readImage } from './elf-image.ts';
import { neededOf, stringAt, type WantedNames } from './wanted-names.ts';

const SMALLEST_PAGE = 4096;

function loadsOf({ segments }: EditedImage): Segment[] {
  return segments.filter(({ type }) => type === SEGMENT_TYPE.load);
}

/** Whether two neighbours have a page in common, which makes the later one hide the end of the other. */
function sharedPages(image: EditedImage, page: number): number {
  const loads = loadsOf(image);
  return loads.filter(({ address }, index) => {
    const before = loads[index - 1];
    if (before === undefined) return false;
    return Math.ceil((before.address + before.memorySize) / page) > Math.floor(address / page);
  }).length;
}

function segmentComplaints(before: EditedImage, after: EditedImage): string[] {
  const complaints: string[] = [];
  for (const page of [SMALLEST_PAGE, largestPage(after.header)])
    if (sharedPages(after, page) > sharedPages(before, page))
      complaints.push(`segments share a page of ${page}`);
  for (const { offset, address, align } of loadsOf(after)) {
    const known = loadsOf(before).some((each) => each.offset === offset && each.address === address);
    if (!known && align > 1 && (address - offset) % align !== 0) complaints.push('a segment is not aligned');
  }
  return complaints;
}

function dynamicComplaints(before: EditedImage, after: EditedImage): string[] {
  const isWritable = (image: EditedImage) => {
    const { address } = image.dynamic;
    const home = loadsOf(image).find(
      (each) => address >= each.address && address < each.address + each.fileSize,
    );
    return ((home?.flags ?? 0) & PF_W) !== 0;
  };
  return isWritable(before) && !isWritable(after) ? ['its dynamic table cannot be written'] : [];
}

function runPathOf(image: EditedImage): { tag: 'rpath' | 'runpath'; text: string } | undefined {
  const entry = image.dynamic.entries.findLast(
    ({ tag }) => tag === DYNAMIC_TAG.rpath || tag === DYNAMIC_TAG.runpath,
  );
  if (entry === undefined) return undefined;
  return {
    tag: entry.tag === DYNAMIC_TAG.rpath ? 'rpath' : 'runpath',
    text: stringAt(image, Number(entry.value)),
  };
}

function nameComplaints(before: EditedImage, after: EditedImage, wanted: WantedNames): string[] {
  const complaints: string[] = [];
  const interpreter = wanted.interpreter ?? before.interpreter?.text;
  if (after.interpreter?.text !== interpreter)
    complaints.push(`its interpreter is ${after.interpreter?.text}`);
  const runPath = wanted.runPath ?? runPathOf(before);
  const found = runPathOf(after);
  if (found?.tag !== runPath?.tag || found?.text !== runPath?.text)
    complaints.push(`its run path is ${found?.text}`);
  const needed = [...neededOf(before).map((name) => wanted.renamed.get(name) ?? name), ...wanted.lifted];
  if (neededOf(after).join('\0') !== needed.join('\0'))
    complaints.push(`it needs ${neededOf(after).join(', ')}`);
  return complaints;
}

/** Their strings may lie elsewhere, and say what they said. */
const TEXTS: ReadonlySet<number> = new Set([
  DYNAMIC_TAG.soname,
  DYNAMIC_TAG.audit,
  DYNAMIC_TAG.depaudit,
  DYNAMIC_TAG.auxiliary,
  DYNAMIC_TAG.filter,
]);

/** Each entry but those that were meant to change is still there, in order, with its value or its text. */
function entryComplaints(before: EditedImage, after: EditedImage): string[] {
  const changing = new Set<number>([
    DYNAMIC_TAG.strtab,
    10, // DT_STRSZ
    DYNAMIC_TAG.rpath,
    DYNAMIC_TAG.runpath,
    DYNAMIC_TAG.needed,
    DYNAMIC_TAG.relacount,
    DYNAMIC_TAG.relcount,
    DYNAMIC_TAG.flags,
    DYNAMIC_TAG.bindNow,
    DYNAMIC_TAG.hash,
    DYNAMIC_TAG.gnuHash,
    0x70000035, // DT_MIPS_RLD_MAP_REL
  ]);
  const fixed = (image: EditedImage) =>
    image.dynamic.entries
      .filter(({ tag }) => !changing.has(tag))
      .map(({ tag, value }) => `${tag}=${TEXTS.has(tag) ? stringAt(image, Number(value)) : value}`)
      .join('\0');
  return fixed(before) === fixed(after) ? [] : ['its dynamic table lost something'];
}

/** Symbols and versions, as ld.so finds them. */
function linkNames(source: ByteSource, { renamed }: WantedNames): string {
  const reading = readSymbols(source);
  const elf = readElf(source);
  if (reading.kind !== 'symbols' || elf.kind !== 'elf') return 'unreadable';
  const fileOf = (name: string | undefined) => (name === undefined ? undefined : (renamed.get(name) ?? name));
  const symbols = [...reading.defined, ...reading.undefined].map((each) => [
    each.name,
    each.version,
    fileOf(each.from),
  ]);
  const { soname, verdef, verneed } = elf.file;
  const needed = verneed.map(({ file, versions }) => [fileOf(file), versions]);
  return JSON.stringify([soname, symbols, verdef, needed]);
}

/** Where the beginning of the string table is as it was, every index leads to what it led to. */
function symbolComplaints(
  before: EditedImage,
  after: EditedImage,
  sources: readonly [ByteSource, ByteSource],
  wanted: WantedNames,
): string[] {
  const size = before.strings.size;
  const beginningOf = ({ fields, strings }: EditedImage) =>
    fields.bytes(strings.offset, size, 'the string table');
  const isLonger = after.strings.size >= size;
  if (isLonger && Buffer.compare(beginningOf(before), beginningOf(after)) === 0) return [];
  const [old, now] = sources.map((each) => linkNames(each, wanted));
  return old === now ? [] : ['its symbols or versions have other names'];
}

/** Empty where the copy is sound. Total but for what `read` throws. */
export function structureComplaints(before: ByteSource, after: ByteSource, wanted: WantedNames): string[] {
  try {
    const [old, now] = [readImage(before), readImage(after)];
    return [
      ...segmentComplaints(old, now),
      ...dynamicComplaints(old, now),
      ...nameComplaints(old, now, wanted),
      ...entryComplaints(old, now),
      ...symbolComplaints(old, now, [before, after], wanted),
      ...(now.header.entry === old.header.entry ? [] : ['its entry point is another']),
    ];
  } catch (error) {
    if (error instanceof Malformed) return [error.message];
    throw error;
  }
}
