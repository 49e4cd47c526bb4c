// The first bytes of a file → whether they have the mark of an AppImage.

/** Where the mark lies: in the padding of e_ident (AppImage specification, "image format"). */
export const appImageMark = { offset: 8, size: 3 } as const;

/** `AI` and the type, 1 or 2, in an ELF header. */
export function isAppImage(head: Uint8Array): boolean {
  const [a, i, type] = head.subarray(appImageMark.offset, appImageMark.offset + appImageMark.size);
  return a === 0x41 && i === 0x49 && (type === 1 || type === 2);
}
