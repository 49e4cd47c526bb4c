// What ld.so wrote for LD_DEBUG=libs,files → the libraries that a process asked for and did not get.
import { existsSync } from 'node:fs';

export interface MissedLibrary {
  /** As it was asked for: a name, or a path. */
  readonly name: string;
  /** Path of the object that wanted it, as ld.so names it. */
  readonly by: string;
  /** `needed`: by DT_NEEDED, and its start or its dlopen ended there; `opened`: by dlopen(3). */
  readonly how: 'needed' | 'opened';
}

/** glibc elf/dl-load.c, _dl_map_object; the number in brackets is the namespace, and 0 is the program's. */
const ASKED = /^file=(?<name>.*) \[0\]; {2}(?<how>needed|dynamically loaded) by (?<by>.*) \[0\]$/;
const GOT = /^file=(?<name>.*) \[0\]; {2}generating link map$/;
const TRIED = /^trying file=(?<file>.*)$/;
const ERROR = /^(?<by>.*): error: (?<occasion>[^:]*): (?<message>.*) \((?:fatal|continued)\)$/;

/** Each line begins with a process id in decimal, padded, and a tab. */
function linesOf(text: string): string[] {
  return text.split('\n').map((line) => line.replace(/^\s*\d+:\s*/, ''));
}

/** One process. `isThere`: of the file that was tried last: then it was loaded before, under another name. */
export function missedLibraries(
  text: string,
  isThere: (file: string) => boolean = existsSync,
): MissedLibrary[] {
  const missed = new Map<string, MissedLibrary>();
  let asked: MissedLibrary | undefined;
  let tried: string | undefined;
  const settle = () => {
    if (asked !== undefined && !isThere(tried ?? asked.name)) missed.set(asked.name, asked);
    asked = undefined;
    tried = undefined;
  };
  for (const line of linesOf(text)) {
    const asking = ASKED.exec(line)?.groups;
    if (asking !== undefined) {
      settle();
      const { name = '', by = '', how } = asking;
      asked = { name, by, how: how === 'needed' ? 'needed' : 'opened' };
      continue;
    }
    const got = GOT.exec(line)?.groups?.['name'];
    if (got !== undefined) {
      missed.delete(got);
      asked = undefined;
    }
    tried = TRIED.exec(line)?.groups?.['file'] ?? tried;
  }
  settle();
  return [...missed.values()];
}

/** What ld.so refused otherwise: versions and symbols that nobody defines. As sentences of its own. */
export function complaintsIn(text: string): string[] {
  const said = linesOf(text).flatMap((line) => {
    const { by = '', occasion = '', message = '' } = ERROR.exec(line)?.groups ?? {};
    // A program asks for symbols that may be missing (dlsym(3)); only a version ends its start.
    return occasion === 'version lookup error' ? [by === '' ? message : `${by}: ${message}`] : [];
  });
  return [...new Set(said)];
}
