// ELF files → what `readelf` says about their dynamic section. Independent of src/elf on purpose: it judges that one.
import { execa } from 'execa';

/** The dynamic facts of one file. */
export interface DynamicProgram {
  readonly class: 32 | 64;
  readonly type: 'EXEC' | 'DYN' | 'other';
  readonly soname: string | undefined;
  readonly needed: readonly string[];
  readonly runpath: readonly string[];
  readonly interpreter: string | undefined;
}

/** Reads many files with few processes. Files that are no ELF object, or have no dynamic section, are left out. */
export async function readDynamic(files: readonly string[]): Promise<Map<string, DynamicProgram>> {
  const found = new Map<string, DynamicProgram>();
  for (let start = 0; start < files.length; start += 400) {
    const batch = files.slice(start, start + 400);
    // /dev/null makes readelf print the "File:" line even for a batch of one.
    const { stdout } = await execa('readelf', ['-hldW', ...batch, '/dev/null'], {
      reject: false,
      stderr: 'ignore',
      env: { LC_ALL: 'C' },
      maxBuffer: 1 << 30,
    });
    for (const section of stdout.split(/^File: /m).slice(1)) {
      const end = section.indexOf('\n');
      const dynamic = parse(section.slice(end));
      if (dynamic) found.set(section.slice(0, end), dynamic);
    }
  }
  return found;
}

function parse(text: string): DynamicProgram | undefined {
  if (!text.includes('Dynamic section')) return undefined;
  const all = (pattern: RegExp) => [...text.matchAll(pattern)].map((m) => m[1] ?? '');
  const type = /^ {2}Type: +(EXEC|DYN)/m.exec(text)?.[1];
  return {
    class: text.includes('Class:                             ELF32') ? 32 : 64,
    type: type === 'EXEC' || type === 'DYN' ? type : 'other',
    soname: all(/\(SONAME\) +Library soname: \[(.*)\]/g)[0],
    needed: all(/\(NEEDED\) +Shared library: \[(.*)\]/g),
    runpath: all(/\((?:RUNPATH|RPATH)\) +Library (?:runpath|rpath): \[(.*)\]/g).flatMap((p) => p.split(':')),
    interpreter: all(/\[Requesting program interpreter: (.*)\]/g)[0],
  };
}
