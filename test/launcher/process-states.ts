// States a process can be in before a start, as words for programs/start-with.c.

export const [SIGHUP, SIGINT, SIGPIPE, SIGALRM, SIGTERM, SIGCHLD, SIGTTOU] = [1, 2, 13, 14, 15, 17, 22];

export type Edits = readonly (string | number)[];

/** By name. `gone`: a directory that start-with removes; `fewFiles`: as many descriptors as the start needs at least. */
export function processStates(gone: string, fewFiles: number): Readonly<Record<string, Edits>> {
  const blocked = [SIGINT, SIGTERM, SIGALRM, SIGTTOU, 40];
  return {
    'as it is': [],
    'SIGPIPE ignored': ['ignore', SIGPIPE],
    'SIGPIPE default': ['default', SIGPIPE],
    'SIGHUP, SIGINT and SIGTERM ignored': ['ignore', SIGHUP, 'ignore', SIGINT, 'ignore', SIGTERM],
    'SIGCHLD ignored': ['ignore', SIGCHLD],
    'SIGCHLD blocked': ['block', SIGCHLD],
    'SIGCHLD blocked and ignored': ['block', SIGCHLD, 'ignore', SIGCHLD],
    'many signals blocked': blocked.flatMap((signal) => ['block', signal]),
    'standard input closed': ['close', 0],
    'standard output closed': ['close', 1],
    'standard error closed': ['close', 2],
    'standard input and output closed': ['close', 0, 'close', 1],
    'standard output and error closed': ['close', 1, 'close', 2],
    'all of them closed': ['close', 0, 'close', 1, 'close', 2],
    'descriptors 3 to 20': Array.from({ length: 18 }, (_, index) => ['open', index + 3]).flat(),
    'descriptors 5 and 40 only': ['open', 5, 'open', 40],
    umask: ['umask', '037'],
    'few open files': ['open', 3, 'open', 4, 'nofile', fewFiles],
    'a process group of its own': ['group', 0],
    'the directory is gone': ['cwd', gone],
    'a dead child': ['child', 0],
    'an entry without =': ['entry', 'none'],
    'ten thousand entries': ['fill', 10_000],
  };
}
