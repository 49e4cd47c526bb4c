// Files -> what binutils' readelf says of them, in the words of ElfFile: a second opinion for tests.
import { execFileSync } from 'node:child_process';
import type { ElfFile, NeededVersion } from '../../src/elf/elf-file.ts';

/** What both readers know; `isa` are the level names that readelf prints. */
export interface ReadelfOpinion
  extends Pick<
    ElfFile,
    | 'class'
    | 'byteOrder'
    | 'type'
    | 'entry'
    | 'interpreter'
    | 'soname'
    | 'rpath'
    | 'runpath'
    | 'stack'
    | 'dynamic'
    | 'hasVersym'
    | 'hasRelr'
  > {
  readonly needed: string[];
  readonly verneed: { file: string; versions: NeededVersion[] }[];
  readonly verdef: string[];
  readonly isa: readonly string[];
  readonly flags1: readonly string[];
  /** FDO notes of type 0x407c0c0a. */
  readonly dlopenNotes: number;
}

/** One run for all files, which must be ELF objects. */
export function askReadelf(paths: readonly string[]): Map<string, ReadelfOpinion> {
  const options = { encoding: 'latin1', maxBuffer: 1 << 30, env: { ...process.env, LC_ALL: 'C' } } as const;
  const output = execFileSync('readelf', ['-hldVnW', ...paths], {
    ...options,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const parts = output.split(/^File: /m).slice(1);
  return new Map(
    parts.map((part) => {
      const end = part.indexOf('\n');
      return [part.slice(0, end), opinionOf(part.slice(end))];
    }),
  );
}

function opinionOf(text: string): ReadelfOpinion {
  const one = (pattern: RegExp) => pattern.exec(text)?.[1];
  const every = (pattern: RegExp) => [...text.matchAll(pattern)].map((match) => match[1] ?? '');
  const stack = one(/^ +GNU_STACK .* (...) +(?:0x)?[0-9a-f]+$/m);
  return {
    class: one(/^ +Class: +(\w+)$/m) === 'ELF64' ? 64 : 32,
    byteOrder: text.includes('little endian') ? 'little' : 'big',
    type: { REL: 1, EXEC: 2, DYN: 3, CORE: 4 }[one(/^ +Type: +(\w+)/m) ?? ''] ?? 0,
    entry: Number(one(/^ +Entry point address: +(\w+)$/m)),
    interpreter: one(/\[Requesting program interpreter: (.*)\]/),
    dynamic: /^ +DYNAMIC /m.test(text),
    soname: one(/\(SONAME\) +Library soname: \[(.*)\]/),
    rpath: one(/\(RPATH\) +Library rpath: \[(.*)\]/),
    runpath: one(/\(RUNPATH\) +Library runpath: \[(.*)\]/),
    needed: every(/\(NEEDED\) +Shared library: \[(.*)\]/g),
    hasVersym: text.includes('(VERSYM)'),
    hasRelr: text.includes('(RELR)'),
    stack: stack === undefined ? 'absent' : stack.includes('E') ? 'executable' : 'plain',
    verneed: verneedOf(text),
    verdef: every(/Rev: 1 +Flags: (?!BASE).* Index: .* Name: (.*)$/gm),
    isa: (one(/x86 ISA needed: (.*)$/m) ?? '').split(', ').filter((level) => level !== ''),
    flags1: (one(/\(FLAGS_1\) +Flags: (.*)$/m) ?? '').split(' ').filter((flag) => flag !== ''),
    dlopenNotes: every(/FDO .*(0x407c0c0a)/g).length,
  };
}

function verneedOf(text: string): ReadelfOpinion['verneed'] {
  const files: ReadelfOpinion['verneed'] = [];
  for (const [, file, name, flags] of text.matchAll(
    /Version: 1 +File: (.*?) +Cnt: |Name: (\S+) +Flags: (.*?) +Version: \d/g,
  )) {
    if (file !== undefined) files.push({ file, versions: [] });
    else files.at(-1)?.versions.push({ name: name ?? '', weak: (flags ?? '').includes('WEAK') });
  }
  return files;
}
