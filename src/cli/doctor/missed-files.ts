// What strace(1) wrote of a process tree → the programs that could not be executed, the usual files that are not here,
// and what ld.so said when it ended a start.
import path from 'node:path';

export interface MissedFiles {
  /** Paths for which execve(2) answered ENOENT, and that nothing of that name was executed in place of. */
  readonly programs: readonly string[];
  /** Paths of the usual layout that were looked for and are not here. */
  readonly files: readonly string[];
  /** Messages of ld.so. */
  readonly complaints: readonly string[];
}

/** Options, before `-o FILE`. Strings in full, since paths and messages are read. */
export const STRACE_OPTIONS = [
  '-f',
  '-qqq',
  '-s4096',
  '-esignal=none',
  '-etrace=execve,execveat,?open,openat,?access,faccessat,?faccessat2,?stat,newfstatat,writev',
] as const;

const CALL = /^(?:\d+ +)?(?<call>\w+)\((?<rest>.*)$/;
const STRING = /"(?<text>(?:[^"\\]|\\.)*)"/g;
const FAILED = / = -1 ENOENT /;

/** strace writes bytes that are not printable in octal, and quotes as C does. */
function unquoted(text: string): string {
  const bytes = text.replace(/\\(?:([0-7]{1,3})|(.))/g, (_, octal?: string, letter?: string) => {
    if (octal !== undefined) return String.fromCharCode(Number.parseInt(octal, 8));
    return { n: '\n', t: '\t', r: '\r', f: '\f', v: '\v' }[letter ?? ''] ?? letter ?? '';
  });
  return Buffer.from(bytes, 'latin1').toString('utf8');
}

function stringsIn(text: string): string[] {
  return [...text.matchAll(STRING)].map((each) => unquoted(each.groups?.['text'] ?? ''));
}

/** What a view shows, and ld.so does not search for (process-trees.md). */
const USUAL = /^\/(?:usr\/)?(?:s?bin|share|lib\/locale)\//;
/** glibc elf/rtld.c, fatal_error, and elf/dl-version.c. */
const OF_LOADER = /error while loading shared libraries: |: version `[^']*' not found|symbol lookup error: /;

export function missedFiles(text: string): MissedFiles {
  const executed = new Set<string>();
  const programs = new Set<string>();
  const files = new Set<string>();
  const complaints = new Set<string>();
  for (const line of text.split('\n')) {
    const { call = '', rest = '' } = CALL.exec(line)?.groups ?? {};
    const [first = '', ...others] = stringsIn(rest);
    if (call === 'writev') {
      const said = [first, ...others].join('').trim();
      if (rest.startsWith('2, ') && OF_LOADER.test(said)) complaints.add(said);
    } else if (call.startsWith('exec')) {
      if (FAILED.test(rest)) programs.add(first);
      else if (/ = 0$/.test(rest)) executed.add(path.basename(first));
    } else if (FAILED.test(rest) && USUAL.test(first)) files.add(first);
  }
  const isMissed = (file: string) => file !== '' && !executed.has(path.basename(file));
  return {
    programs: [...programs].filter(isMissed),
    files: [...files].filter((file) => !executed.has(path.basename(file)) && !programs.has(file)).sort(),
    complaints: [...complaints],
  };
}
