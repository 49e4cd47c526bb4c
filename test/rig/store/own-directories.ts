// Debian's ld.so → one that looks where nixpkgs' ld.so looks: shell commands for the builder of a glibc object.

/** The 64-bit table of lengths (22, 26, 5, 9) and the strings it measures; at least 29 bytes of padding follow. */
const table = ['16', '1a', '05', '09'].map((length) => `\\x${length}(\\x00{7})`).join('');
const strings = '/lib/x86_64-linux-gnu/\\x00/usr/lib/x86_64-linux-gnu/\\x00/lib/\\x00/usr/lib/\\x00';

/**
 * Debian's ld.so has the host's directories built in where nixpkgs' has its own `<glibc>/lib/`, and the host's cache and
 * preload file. They are replaced, byte for byte of the same length: the files by names that exist nowhere, and
 * - in the glibcs of bookworm and later, for x86-64, the second directory by `$out/lib/`, the others by nothing. (The
 *   first one's length is a constant in the code, so it cannot be the longer one.) `$out` may have 58 characters;
 *   What a name is put together in is as long as the longest directory, a constant in the code as well
 *   (elf/dl-load.c, max_dirnamelen): it becomes 127, or the loader writes over its own stack.
 * - elsewhere all directories by nothing: such an ld.so must be told where its libc is.
 */
export function ownDirectories(suite: string): string {
  const own = suite === 'bullseye' ? '' : searchOwnDirectory;
  return `loaders=$(find $out/lib -maxdepth 1 -name 'ld-linux*' -type f -o -maxdepth 1 -name 'ld-2*' -type f)
${own}sed -i \
-e 's#/etc/ld\\.so\\.cache#/etc/ld.no.cache#g' -e 's#/etc/ld\\.so\\.preload#/etc/ld.no.preload#g' \
-e 's#/lib/\\(x86_64\\|i386\\|aarch64\\)-linux-gnu/\\x00#/non/\\1-linux-gnu/\\x00#g' \
-e 's#\\x00/lib/\\x00/usr/lib/\\x00#\\x00/non/\\x00/usr/non/\\x00#g' $loaders`;
}

const searchOwnDirectory = `length=$((\${#out} + 5))
padding=
while [ \${#padding} -lt $(((63 - length) * 4)) ]; do padding="$padding\\x00"; done
size=$(printf '\\\\x%02x' $length)
sed -i -E "s#${table}${strings}\\x00{29}#\\x16\\1$size\\2\\x03\\3\\x03\\4/non/x86_64-linux-gnu/\\x00$out/lib/\\x00/-/\\x00/-/\\x00$padding#" $loaders
sed -i -E 's#(\\x48\\xc7\\x05..[\\x00-\\x07]\\x00)\\x1a(\\x00\\x00\\x00)#\\1\\x7f\\2#' $loaders
`;
