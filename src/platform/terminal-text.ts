// Untrusted text (paths, sonames, messages of other programs) → text that is safe to print.

/** C0 but tab and line feed, DEL, C1, marks of direction (Unicode, UAX 9), separators of lines and paragraphs. */
const CONTROLS =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** Control characters, C1 controls included, become `?`, so that a file name cannot drive the terminal. */
export function printable(text: string): string {
  return text.replace(CONTROLS, '?');
}

/** One line: as `printable`, with line breaks and tabs replaced as well. */
export function printableLine(text: string): string {
  return printable(text).replace(/[\t\n]/g, '?');
}

/** Breaks a line at blanks so that none is longer than `width` characters, if its words are not; `hang` begins the later ones. */
export function wrapWords(line: string, width: number, hang: string): string[] {
  const lines: string[] = [];
  let current = '';
  for (const word of line.split(' ')) {
    if (current.trim() !== '' && current.length + 1 + word.length > width) {
      lines.push(current);
      current = hang + word;
    } else current = current === '' ? word : `${current} ${word}`;
  }
  return [...lines, current];
}
