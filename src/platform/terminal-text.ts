// Untrusted text (paths, sonames, messages of other programs) → text that is safe to print.

/** Control characters, C1 controls included, become `?`, so that a file name cannot drive the terminal. */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '?');
}

/** One line: as `printable`, with line breaks and tabs replaced as well. */
export function printableLine(text: string): string {
  return printable(text).replace(/[\t\n]/g, '?');
}
