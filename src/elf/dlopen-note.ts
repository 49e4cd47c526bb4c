// A `.note.dlopen` note -> the libraries an object may dlopen (UAPI.12, specs/elf_dlopen_metadata.md).
import type { DlopenNote } from './elf-file.ts';
import type { Note } from './notes.ts';

/** True for the notes that `readDlopenNote` reads. */
export function isDlopenNote({ owner, type }: Note): boolean {
  return owner === 'FDO' && type === 0x407c0c0a;
}

/**
 * The entries of one note: a JSON array of objects, or one bare object with a string `soname`, as the first systemd to
 * write these notes had it. What is not of that shape is left out.
 */
export function readDlopenNote(note: Note): DlopenNote[] {
  const text = Buffer.from(note.read())
    .toString('latin1')
    .replace(/\0[\s\S]*$/, '');
  const parsed = parse(text);
  return (Array.isArray(parsed) ? parsed : [parsed]).flatMap((entry) => entryOf(entry));
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function entryOf(entry: unknown): DlopenNote[] {
  if (typeof entry !== 'object' || entry === null) return [];
  const { soname, feature, priority } = entry as Record<string, unknown>;
  const sonames = (Array.isArray(soname) ? soname : [soname]).filter(isName);
  if (sonames.length === 0) return [];
  return [
    { sonames, feature: typeof feature === 'string' ? feature : undefined, priority: priorityOf(priority) },
  ];
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && !value.includes('\0');
}

/** Absent means recommended. */
function priorityOf(value: unknown): DlopenNote['priority'] {
  return value === 'required' || value === 'suggested' ? value : 'recommended';
}
