// The first bytes of a file that is neither ELF nor a script -> what it is, for the message that refuses it.

const formats: readonly (readonly [magic: string, name: string])[] = [
  ['MZ', 'a Windows program'],
  ['\xcf\xfa\xed\xfe', 'a macOS program'],
  ['\xce\xfa\xed\xfe', 'a macOS program'],
  ['\xca\xfe\xba\xbe', 'a macOS program or a Java class'],
  ['PK\x03\x04', 'a zip archive'],
  ['\x1f\x8b', 'a gzip archive'],
  ['\xfd7zXZ\0', 'an xz archive'],
  ['\x28\xb5\x2f\xfd', 'a zstd archive'],
  ['BZh', 'a bzip2 archive'],
  ['!<arch>\n', 'a static library or Debian package'],
  ['\0asm', 'a WebAssembly module'],
];

/** One clause for users, without a full stop. */
export function whyNotProgram(head: Uint8Array): string {
  if (head.length === 0) return 'it is empty';
  const text = Buffer.from(head.buffer, head.byteOffset, Math.min(head.length, 16)).toString('latin1');
  const known = formats.find(([magic]) => text.startsWith(magic));
  return known ? `it is ${known[1]}` : 'it is neither an ELF program nor a script with a #! line';
}
