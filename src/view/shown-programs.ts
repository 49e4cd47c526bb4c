// PATH and the system profile → the commands that /bin and /usr/bin show in a view.
import { lstatSync, readlinkSync } from 'node:fs';
import path from 'node:path';
import { cacheFlagsOf, type Machine } from '../elf/machine.ts';
import { isDirectory, isExecutable, namesIn } from '../host/files.ts';
import { scriptWord } from '../host/shell-words.ts';
import { isTrustedAndThere } from '../host/trusted-way.ts';
import type { HostPlace } from './host-place.ts';
import { linkTo, type Shown } from './view-directory.ts';

export const PROGRAM_PLACES = ['/bin', '/usr/bin', '/sbin', '/usr/sbin'] as const;
const SYSTEM_PROFILES = ['/run/current-system/sw/bin', '/nix/var/nix/profiles/default/bin'];

/** More are no commands that somebody types. */
const MOST_NAMES = 20_000;

/**
 * Absolute directories that nobody but the user and root can write, each once, PATH's before the system's. What the
 * view itself shows is left out.
 */
export function commandDirectories(
  searchPath: string | undefined,
  uid: number,
  shown: readonly string[],
): string[] {
  const all = [...(searchPath ?? '').split(':'), ...SYSTEM_PROFILES].filter((each) => path.isAbsolute(each));
  return [...new Set(all.map((each) => path.normalize(each).replace(/(?<=.)\/$/, '')))]
    .filter((each) => !shown.some((place) => each === place || each.startsWith(`${place}/`)))
    .filter((each) => isDirectory(each) && isTrustedAndThere(each, uid));
}

/** A link of the host stays the same link, from wherever it is read; a file is bound. */
export function entryOfHost(file: string): Shown {
  if (!lstatSync(file).isSymbolicLink()) return { kind: 'stand-in' };
  return linkTo(path.resolve(path.dirname(file), readlinkSync(file)));
}

function entriesOfHost(places: readonly HostPlace[]): [string, Shown][] {
  return places.flatMap(({ target, names }) =>
    names.map((name): [string, Shown] => [name, entryOfHost(path.join(target, name))]),
  );
}

/** Nothing of a program's own may steer ours. */
const CLEAN = 'unset LD_LIBRARY_PATH LD_PRELOAD LD_AUDIT NODE_OPTIONS NODE_PATH';

/**
 * Prints what glibc's ldconfig -p prints, of what the process that asks can open; there is no cache to be made. Where
 * our own package is gone, of the directory that the view shows.
 */
const LDCONFIG = `#!/bin/sh
for word; do case $word in -p|--print-cache) print=1;; esac; done
[ -n "$print" ] || exit 0
if [ -x @node@ ] && [ -e @script@ ]; then ${CLEAN}; exec @node@ @script@ print-cache "$PPID"; fi
count=0
for file in /usr/lib/*.so*; do [ -e "$file" ] && count=$((count + 1)); done
echo "$count libs found in cache \\\`/etc/ld.so.cache'"
for file in /usr/lib/*.so*; do
  [ -e "$file" ] && printf '\\t%s (%s) => %s\\n' "\${file##*/}" @flags@ "$file"
done
exit 0
`;

/**
 * As glibc's, which would have its own libc's loader look at its own libraries. Others ask it for the version of the
 * libc. What a library would bring along only the manager can tell, since it has no plan.
 */
const LDD = `#!/bin/sh
if [ "$1" = --version ]; then
  [ -n @theirs@ ] && exec @theirs@ --version
  if [ -x @node@ ] && [ -e @script@ ]; then ${CLEAN}; exec @node@ @script@ print-cache libc; fi
  echo 'ldd (GNU libc)'
  exit 0
fi
count=0 status=0
for file; do case $file in -*) ;; *) count=$((count + 1));; esac; done
for file; do
  case $file in -*) continue;; */*) ;; *) file=./$file;; esac
  [ $count -gt 1 ] && echo "$file:"
  if [ ! -e "$file" ]; then echo "ldd: $file: No such file or directory" >&2; status=1; continue; fi
  if @interpreter@ --list "$file" >/dev/null 2>&1; then @interpreter@ --list "$file"; continue; fi
  if [ -x @node@ ] && [ -e @script@ ]; then (${CLEAN}; exec @node@ @script@ ldd -- "$file") && continue
  elif @interpreter@ --verify "$file"; then @interpreter@ --list "$file"
  else printf '\\tnot a dynamic executable\\n'; fi
  status=1
done
exit $status
`;

interface CommandRequest {
  readonly places: readonly HostPlace[];
  readonly directories: readonly string[];
  readonly machine: Machine;
  /** What answers for libraries; undefined where nothing does. */
  readonly manager: { readonly node: string; readonly script: string } | undefined;
}

/** An empty word names no file. */
function withWords(script: string, words: Readonly<Record<string, string | undefined>>): string {
  return script.replace(/@(\w+)@/g, (_, name: string) => scriptWord(words[name] ?? ''));
}

function ourCommands({ directories, machine, manager }: CommandRequest): [string, Shown][] {
  const theirs = directories.map((each) => path.join(each, 'ldd')).find(isExecutable);
  const words = { theirs, interpreter: machine.interpreter, flags: cacheFlagsOf(machine), ...manager };
  return Object.entries({ ldconfig: LDCONFIG, ldd: LDD }).map(([name, text]) => [
    name,
    { kind: 'script', text: withWords(text, words) },
  ]);
}

/** By name: the host's own first, then ours, then those of the directories in their order. */
export function shownPrograms(request: CommandRequest): Map<string, Shown> {
  const { places, directories } = request;
  const entries = new Map([...ourCommands(request), ...entriesOfHost(places)]);
  for (const directory of directories)
    for (const name of namesIn(directory)) {
      if (entries.size >= MOST_NAMES) return entries;
      const file = path.join(directory, name);
      if (!entries.has(name) && isExecutable(file)) entries.set(name, linkTo(file));
    }
  const bash = entries.get('bash');
  if (bash !== undefined && !entries.has('sh')) entries.set('sh', bash);
  return entries;
}
