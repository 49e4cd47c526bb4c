// A root, which bubblewrap makes with nosuid and no_new_privs → the same directories as a root where setuid counts.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { type Command, type CommandLine, homeInRoot, type Root } from '../../rig/root.ts';
import { compile } from '../compile.ts';
import { onHost } from '../foreign-files.ts';

/** As whom, and whether with a binfmt_misc of its own, whose rules are then still to be registered (as user 0). */
export interface Entry {
  readonly uid: number;
  readonly how: 'plain' | 'binfmt';
}

/** How many words follow the options of bubblewrap that `test/rig/bubblewrap.ts` uses. */
const following: Readonly<Record<string, number>> = {
  '--unshare-pid': 0,
  '--die-with-parent': 0,
  '--clearenv': 0,
  '--cap-add': 1,
  '--perms': 1,
  '--dir': 1,
  '--proc': 1,
  '--dev': 1,
  '--chdir': 1,
  '--bind': 2,
  '--ro-bind': 2,
  '--symlink': 2,
  '--setenv': 2,
};

const quoted = (word: string) => `'${word.replaceAll("'", "'\\''")}'`;

/** One option of bubblewrap as a line of sh, in a directory that becomes the root. */
function line(option: string, [first = '', second = '']: readonly string[]): string[] {
  const mount = (from: string, to: string) => {
    const at = quoted(`.${to}`);
    const parent = quoted(`.${path.dirname(to)}`);
    const place = `mkdir -p ${parent}; if test -d ${quoted(from)}; then mkdir -p ${at}; else touch ${at}; fi`;
    return [`${place}; mount --rbind ${quoted(from)} ${at}`];
  };
  if (option === '--dir') return [`mkdir -p ${quoted(`.${first}`)}`];
  if (option === '--proc' || option === '--dev') return mount(first, first);
  if (option === '--bind' || option === '--ro-bind') return mount(first, second);
  if (option === '--symlink') return [`ln -s ${quoted(first)} ${quoted(`.${second}`)}`];
  return [];
}

interface Layout {
  readonly lines: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
}

function layoutOf(words: readonly string[]): Layout {
  const lines: string[] = [];
  const env: Record<string, string> = {};
  let cwd = '/';
  for (let at = 0; at < words.length; ) {
    const option = words[at] ?? '';
    const count = following[option];
    if (count === undefined) throw new Error(`bubblewrap's ${option} is not known here`);
    const values = words.slice(at + 1, at + 1 + count);
    lines.push(...line(option, values));
    if (option === '--setenv') env[values[0] ?? ''] = values[1] ?? '';
    if (option === '--chdir') cwd = values[0] ?? '/';
    at += 1 + count;
  }
  return { lines, env, cwd };
}

/** What enters, as a path of the root, where it changes the user. */
export const becomeRoot = path.join(homeInRoot, 'become-root');

/** Compiles it. */
export function compileEntry(root: Root): void {
  const source = readFileSync(path.join(import.meta.dirname, 'programs/become-root.c'), 'utf8');
  compile(onHost(root, becomeRoot), source, ['-static', '-w']);
}

/** What starts `command` in the root; the process keeps its id. */
export function wordsWithSetuid(root: Root, command: Command, { uid, how }: Entry): CommandLine {
  const { words } = root.wordsOf(command);
  const begin = words.indexOf('bwrap');
  const { lines, env, cwd } = layoutOf(words.slice(begin + 1, words.indexOf('--', begin)));
  const place = quoted(path.dirname(root.homeDir));
  const assignments = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  const script = [
    'set -e',
    `cd ${place}; mkdir -p all; mount -t tmpfs -o mode=755 all all; cd all`,
    ...lines,
    // Not before: the environment is the command's.
    `new=$(pwd); exec env -i ${assignments.map(quoted).join(' ')} "$0" "$new" "$@"`,
  ].join('\n');
  const inside = ['sh', '-c', script, onHost(root, becomeRoot), how, String(uid), cwd, ...command.argv];
  return {
    words: [...words.slice(0, begin), 'unshare', '-m', '--propagation', 'private', ...inside],
    env: {},
  };
}
