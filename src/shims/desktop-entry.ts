// A vendor's desktop entry → the same entry starting a shim.
import { escapeString, programOfExec, unescapeString, withProgram } from './exec-line.ts';

export interface EntryEdits {
  /** Path of the shim. */
  readonly shim: string;
  readonly name: string;
  /** Whether a program that the entry names is the one behind the shim. */
  isProgram(named: string): boolean;
  /** An icon as a menu finds it. */
  icon(named: string): string;
  /** A working directory as an absolute path. */
  directory(named: string): string;
}

export interface RewrittenEntry {
  readonly text: string;
  /** How many Exec keys start the shim now: the entry's own and those of its actions. */
  readonly started: number;
}

/** Says whose the copy is; keys of that form are everybody's to add ("Extending the format"). */
const MARK = 'X-Nix-Run-Foreign-Shim';

function isOurs(group: string): boolean {
  return group === 'Desktop Entry' || group.startsWith('Desktop Action ');
}

/**
 * Exec and TryExec of the entry and of its actions where they start the program, Icon and Path. D-Bus would start the
 * vendor's program without looking at Exec, so that activation is off. Everything else stays, byte for byte.
 */
export function rewriteEntry(text: string, edits: EntryEdits): RewrittenEntry {
  let group = '';
  let started = 0;
  const lineOf = (line: string): string[] => {
    const header = /^\[([^[\]]*)\]\s*$/.exec(line)?.[1];
    if (header !== undefined) {
      group = header;
      return header === 'Desktop Entry' ? [line, `${MARK}=${escapeString(edits.name)}`] : [line];
    }
    const [, key = '', locale = '', value = ''] =
      /^([A-Za-z0-9-]+)(\[[^\]]*\])?\s*=\s*(.*?)\s*$/.exec(line) ?? [];
    if (!isOurs(group) || key === '') return [line];
    const write = (changed: string) => [`${key}${locale}=${changed}`];
    switch (key) {
      case MARK:
        return [];
      case 'Exec':
        if (!edits.isProgram(programOfExec(value) ?? '')) return [line];
        started += 1;
        return write(withProgram(value, edits.shim));
      case 'TryExec':
        return edits.isProgram(unescapeString(value)) ? write(escapeString(edits.shim)) : [line];
      case 'Icon':
        return write(escapeString(edits.icon(unescapeString(value))));
      case 'Path':
        return value === '' ? [line] : write(escapeString(edits.directory(unescapeString(value))));
      case 'DBusActivatable':
        return write('false');
      default:
        return [line];
    }
  };
  return { text: text.split('\n').flatMap(lineOf).join('\n'), started };
}

/** The shim that an entry was rewritten for; undefined for any other entry. */
export function shimOfEntry(text: string): string | undefined {
  const value = new RegExp(`^${MARK}=(.*)$`, 'm').exec(text)?.[1];
  return value === undefined ? undefined : unescapeString(value);
}
