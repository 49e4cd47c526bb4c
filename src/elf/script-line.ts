// The first bytes of a file -> the interpreter of its `#!` line and that one's argument, as the kernel reads them.

export type ScriptLine =
  | { readonly kind: 'script'; readonly interpreter: string; readonly argument: string | undefined }
  | { readonly kind: 'no-script' }
  /** The kernel would answer ENOEXEC. */
  | { readonly kind: 'bad-script'; readonly why: string };

/** BINPRM_BUF_SIZE: how much of a file the kernel looks at. */
export const scriptLineSize = 256;

/**
 * As fs/binfmt_script.c, load_script: spaces and tabs around the interpreter are dropped, all that follows it is one
 * argument, trailing spaces and tabs cut. Without a line end in 256 bytes the argument is cut there, but an
 * interpreter that may be cut itself is refused. A carriage return is an ordinary byte.
 */
export function readScriptLine(head: Uint8Array): ScriptLine {
  if (head[0] !== 0x23 || head[1] !== 0x21) return { kind: 'no-script' };
  const start = Buffer.from(head.buffer, head.byteOffset, Math.min(head.length, scriptLineSize));
  const text = start.toString('latin1').padEnd(scriptLineSize, '\0');
  const newline = text.indexOf('\n');
  const line = newline < 0 ? text.slice(2, scriptLineSize - 1) : text.slice(2, newline);
  if (newline < 0 && !/^[ \t]*[^ \t\0]*[ \t\0]/.test(text.slice(2))) {
    return { kind: 'bad-script', why: 'its #! line is longer than 255 bytes' };
  }
  const match = /^[ \t]*([^ \t\0]+)(?:[ \t]+([^\0]*))?/.exec(line.replace(/[ \t]+$/, ''));
  const interpreter = match?.[1];
  if (interpreter === undefined) return { kind: 'bad-script', why: 'its #! line names no interpreter' };
  return { kind: 'script', interpreter, argument: match?.[2] || undefined };
}
