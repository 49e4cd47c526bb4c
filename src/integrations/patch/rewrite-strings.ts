// A string table and new strings → the table written anew where it is, without what nobody names and with shared tails.

import { DYNAMIC_TAG } from '../../elf/dynamic.ts';
import { SHT_NOBITS } from '../../elf/gabi.ts';
import { type EditedImage, sectionOf } from './elf-image.ts';
import type { FileEdit } from './file-changes.ts';
import { isStringTag, stringReferences } from './string-references.ts';
import { newStrings, stringAt, type WantedNames } from './wanted-names.ts';

interface RewrittenStrings {
  readonly bytes: Uint8Array;
  /** How many bytes there are where the table is. */
  readonly room: number;
  /** The section that is the table. */
  readonly section: number;
  /** Of the symbols and versions, which name their strings by an index. */
  readonly references: readonly FileEdit[];
  indexOf(text: string): number;
}

interface Table {
  readonly bytes: Buffer;
  readonly indexes: ReadonlyMap<string, number>;
}

const backwards = (text: string): string => [...text].reverse().join('');

/** lld shares no tails without `-O2`. What is new shares none: where it lies depends on its length only. */
function tableOf(old: Iterable<string>, fresh: readonly string[]): Table {
  const indexes = new Map([['', 0]]);
  const parts: string[] = [''];
  let size = 1;
  const put = (text: string) => {
    indexes.set(text, size);
    parts.push(text);
    size += text.length + 1;
  };
  let last = '';
  for (const each of [...new Set(old)].map(backwards).sort().reverse()) {
    const text = backwards(each);
    if (last.startsWith(each) && each !== '')
      indexes.set(text, (indexes.get(backwards(last)) ?? 0) + last.length - each.length);
    else if (each !== '') {
      put(text);
      last = each;
    }
  }
  for (const text of fresh) if (!indexes.has(text)) put(text);
  return { bytes: Buffer.from(`${parts.join('\0')}\0`, 'latin1'), indexes };
}

/** Up to the next part of the file, if only zeros lie in between; undefined where the table is shared. */
function roomOf({ sections, segments, strings, fields }: EditedImage, section: number): number | undefined {
  const end = strings.offset + strings.size;
  const others = sections.filter(
    ({ type, size }, index) => index !== section && type !== SHT_NOBITS && size > 0,
  );
  if (others.some(({ offset, size }) => offset < end && offset + size > strings.offset)) return undefined;
  const starts = [
    ...others.map(({ offset }) => offset),
    ...segments.flatMap(({ offset, fileSize }) => [offset, offset + fileSize]),
  ];
  const limit = Math.min(...starts.filter((each) => each >= end));
  const isEmpty =
    limit <= fields.size && fields.bytes(end, limit - end, 'padding').every((byte) => byte === 0);
  return isEmpty ? limit - strings.offset : strings.size;
}

function namesOfEntries(image: EditedImage, { runPath, renamed }: WantedNames): string[] {
  const paths = new Set<number>([15, 29]); // DT_RPATH, DT_RUNPATH
  return image.dynamic.entries
    .filter(({ tag }) => isStringTag(tag) && !(runPath !== undefined && paths.has(tag)))
    .map(({ tag, value }) => {
      const text = stringAt(image, Number(value));
      return tag === DYNAMIC_TAG.needed ? (renamed.get(text) ?? text) : text;
    });
}

/**
 * Undefined where it does not fit, or where somebody may read the table of whom nothing is known.
 * @throws Malformed for a table that makes no sense.
 */
export function rewriteStrings(image: EditedImage, wanted: WantedNames): RewrittenStrings | undefined {
  const { strings } = image;
  const section = sectionOf(image, strings.offset, strings.address);
  if (section < 0 || image.sections[section]?.size !== strings.size) return undefined;
  const room = roomOf(image, section);
  const references = stringReferences(image, section);
  if (room === undefined || references === undefined) return undefined;
  const fresh = newStrings(wanted);
  const isNew = new Set(fresh);
  const texts = references.map(({ text, of }) => (of === 'file' ? (wanted.renamed.get(text) ?? text) : text));
  const old = [...texts, ...namesOfEntries(image, wanted)].filter((text) => !isNew.has(text));
  const { bytes, indexes } = tableOf(old, fresh);
  if (bytes.length > room) return undefined;
  const indexOf = (text: string) => indexes.get(text) ?? 0;
  return { bytes, room, section, references: referenceEdits(image, references, texts, indexOf), indexOf };
}

function referenceEdits(
  { fields, header }: EditedImage,
  references: readonly { readonly offset: number }[],
  texts: readonly string[],
  indexOf: (text: string) => number,
): FileEdit[] {
  return references.flatMap(({ offset }, at) => {
    const index = indexOf(texts[at] ?? '');
    if (index === fields.u32(offset, 'a name')) return [];
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setUint32(0, index, header.byteOrder === 'little');
    return [{ offset, bytes, what: 'names of symbols and versions' }];
  });
}
