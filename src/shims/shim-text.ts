// A program and the launcher → the text of the file that starts the one through the other, and back.

/** The kernel reads 256 bytes (BINPRM_BUF_SIZE, 128 before Linux 5.1) and wants the line's end among them (fs/binfmt_script.c). */
const longestLine = 255;
const option = '--shim=';

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function unquoted(text: string): string {
  return text.replaceAll("'\\''", "'");
}

/** A name that the line's end, or the kernel's dropping of blanks, would change. */
function fitsInLine(launcher: string, program: string): boolean {
  const line = `#!${launcher} ${option}${program}`;
  return (
    Buffer.byteLength(line) <= longestLine - 1 &&
    /^\S+$/.test(launcher) &&
    !/[\n\r\0]/.test(program) &&
    !/[ \t]$/.test(program)
  );
}

/**
 * Both absolute. Where the `#!` line can hold them, the kernel starts the launcher itself, which costs no shell;
 * elsewhere `/bin/sh` does, which every Linux has, NixOS too.
 */
export function shimText(launcher: string, program: string): string {
  if (fitsInLine(launcher, program)) return `#!${launcher} ${option}${program}\n`;
  return `#!/bin/sh\nexec ${quoted(launcher)} ${quoted(`${option}${program}`)} "$0" "$@"\n`;
}

export interface ShimLine {
  readonly launcher: string;
  readonly program: string;
}

/** Undefined for any other text: nothing that we did not write is taken for a shim. */
export function readShimText(text: string): ShimLine | undefined {
  const line = /^#!(\S+) --shim=([^\n]+)\n$/.exec(text);
  const script = /^#!\/bin\/sh\nexec '([\s\S]*)' '--shim=([\s\S]*)' "\$0" "\$@"\n$/.exec(text);
  const [, launcher = '', program = ''] = line ?? script ?? [];
  const read =
    line === null ? { launcher: unquoted(launcher), program: unquoted(program) } : { launcher, program };
  return program.startsWith('/') && shimText(read.launcher, read.program) === text ? read : undefined;
}
