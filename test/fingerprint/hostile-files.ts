// Real files of every kind under the names of sidecars and tree files.
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  truncateSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after } from 'node:test';
import { canonicalText } from '../../src/fingerprint/fingerprint.ts';
import { findSidecar } from '../../src/fingerprint/sidecar.ts';
import { treeText } from '../../src/fingerprint/tree-file.ts';
import type { Owners } from '../../src/fingerprint/trust.ts';
import { changed, good, put, type Wrong } from './documents.ts';
import { type Situation, TRUSTED, text, trust, type Verdict } from './hostile-situation.ts';

const scratch = realpathSync(mkdtempSync(path.join(tmpdir(), 'hostile-')));
after(() => rmSync(scratch, { recursive: true, force: true }));
chmodSync(scratch, 0o755);

const me = process.geteuid?.() ?? 0;

/** Whoever the tests run as, a file that belongs to somebody else: root gives it away, others are somebody else. */
function strangersFile(file: string): Owners {
  if (me === 0) chownSync(file, 4242, 4242);
  return me === 0 ? { user: 0, program: 0 } : { user: me + 1, program: me + 1 };
}

function isOwners(made: unknown): made is Owners {
  return typeof made === 'object' && made !== null && 'user' in made;
}

/** A real file, in a directory of its own; `make` may say who the user and the owner of the program are. */
export function onDisk(
  cause: string,
  line: RegExp,
  make: (file: string) => unknown,
  kind: 'sidecar' | 'tree' = 'sidecar',
): Situation {
  const judge = async (): Promise<Verdict> => {
    const file = path.join(mkdtempSync(path.join(scratch, 'd-')), 'p.nix-fingerprint.json');
    chmodSync(path.dirname(file), 0o755);
    const made = make(file);
    const who = isOwners(made) ? made : { user: me, program: me };
    const found = await findSidecar([{ kind, file }], good.program, who, trust);
    return found.refused[0] ?? (found.trusted === undefined ? { cause: 'absent', why: '' } : TRUSTED);
  };
  return { cause, line, judge };
}

const other = canonicalText(changed((each: Wrong) => (each.program.sha256 = 'cd'.repeat(32))));
export const tree = treeText([
  { sha256: good.program.sha256, text },
  { sha256: 'cd'.repeat(32), text: other },
]);

export const byFile: Record<string, Situation> = {
  'a symbolic link': onDisk('symlink', /^it is a symbolic link$/, (file) =>
    symlinkSync(put(`${file}.real`, text), file),
  ),
  'a symbolic link to /etc/shadow': onDisk('symlink', /^it is a symbolic link$/, (file) =>
    symlinkSync('/etc/shadow', file),
  ),
  'a directory': onDisk('no-file', /^it is no regular file$/, (file) => mkdirSync(file)),
  'a FIFO that nobody writes to': onDisk('no-file', /^it is no regular file$/, (file) =>
    execFileSync('mkfifo', [file], { encoding: 'utf8' }),
  ),
  'a file of a terabyte': onDisk('size', /^it is larger than 1 MiB$/, (file) =>
    truncateSync(put(file, text), 2 ** 40),
  ),
  'a tree of a terabyte': onDisk(
    'size',
    /^it is larger than 16 MiB$/,
    (file) => truncateSync(put(file, tree), 2 ** 40),
    'tree',
  ),
  'bytes that are no UTF-8': onDisk('encoding', /^it is not UTF-8$/, (file) =>
    put(file, Buffer.from(text.replace('exact', 'ex\u00e4ct'), 'latin1')),
  ),
  'a real file of somebody else': onDisk(
    'file-owner',
    /^it belongs to uid \d+, which is neither you/,
    (file) => strangersFile(put(file, text)),
  ),
  'a real directory that everybody may write to': onDisk(
    'directory-open',
    /^everybody may put files into its directory, and/,
    (file) => {
      put(file, text);
      chmodSync(path.dirname(file), 0o777);
      return undefined;
    },
  ),
  'a hard link to a file of somebody else': onDisk(
    'file-owner',
    /^it belongs to uid \d+, which is neither you/,
    (file) => {
      const who = strangersFile(put(`${file}.elsewhere`, text));
      linkSync(`${file}.elsewhere`, file);
      return who;
    },
  ),
  'a tree without end': onDisk(
    'tree',
    /^it is no tree of fingerprints as nix-foreign writes it$/,
    (file) => put(file, tree.slice(0, -5)),
    'tree',
  ),
  'a tree of a newer format': onDisk(
    'tree',
    /^it is a tree of format 2, and this tool knows 1/,
    (file) => put(file, tree.replace('],"version":1}', '],"version":2}')),
    'tree',
  ),
  'a tree with the program twice': onDisk(
    'tree',
    /^the program is there twice$/,
    (file) =>
      put(
        file,
        tree.replace('[\n', () => `[\n${text.trimEnd()},\n`),
      ),
    'tree',
  ),
  'a tree with a comma missing': onDisk(
    'tree',
    /^a comma between two programs is missing or too many$/,
    (file) => put(file, tree.replace('},\n', '}\n')),
    'tree',
  ),
  'a tree whose entry climbs out': onDisk(
    'document',
    /^loader\.file: not a path that stays inside the store object: "\.\.\/tree"$/,
    (file) => put(file, tree.replace('lib/ld-linux-x86-64.so.2"', '../tree"')),
    'tree',
  ),
  'a tree entry with its hash in a second place': onDisk(
    'document',
    /^sha256: no field of a fingerprint$/,
    (file) =>
      put(
        file,
        treeText([
          { sha256: good.program.sha256, text: `{"sha256":"${good.program.sha256}",${other.slice(1)}` },
        ]),
      ),
    'tree',
  ),
};
