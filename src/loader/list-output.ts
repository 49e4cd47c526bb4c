// What `ld.so --list` printed → the load map, or what it complains of.

/** One loaded object, in load order. */
export interface LoadedObject {
  /** The name it was requested by, or its path when it was requested by path. */
  readonly name: string;
  /** The path it was opened by; undefined when ld.so did not find it. */
  readonly path: string | undefined;
}

export interface ListOutput {
  readonly objects: readonly LoadedObject[];
  /** Complaints that mean the program would not start, or would start with a mixture. */
  readonly complaints: readonly string[];
}

/**
 * ld.so only warns when an object defines no versions at all (glibc elf/dl-version.c, `no version information
 * available`), and for weak references (`weak version`): the program starts.
 */
const HARMLESS = /: no version information available \(required by |: weak version `/;

/** A glibc line in front of a complaint: `PROGRAM: `. The rest is what matters to a reader. */
function withoutPrefix(line: string, program: string): string {
  const text = line.startsWith(`${program}: `) ? line.slice(program.length + 2) : line;
  return text.replace(/^error while loading shared libraries: /, '');
}

/**
 * Reads the output of `ld.so --list PROGRAM` (glibc elf/rtld.c, `rtld_mode_list`; musl ldso/dynlink.c, `ldd_mode`).
 * Its exit status says nothing of missing versions, so every line of stderr counts.
 */
export function parseListOutput(stdout: string, stderr: string, program: string): ListOutput {
  const objects: LoadedObject[] = [];
  for (const line of stdout.split('\n')) {
    const match = /^\t(.*?)(?: => (.*?))?(?: \(0x[0-9a-f]+\))?$/.exec(line);
    const name = match?.[1];
    if (match === null || name === undefined || name === 'statically linked') continue;
    const target = match[2] ?? name;
    if (target.startsWith('linux-vdso.so') || target.startsWith('linux-gate.so')) continue;
    objects.push({ name, path: target === 'not found' ? undefined : target });
  }
  const complaints = stderr
    .split('\n')
    .filter((line) => line.trim() !== '' && !HARMLESS.test(line))
    .map((line) => withoutPrefix(line, program));
  const missing = objects
    .filter((object) => object.path === undefined)
    .map((object) => `${object.name} not found`);
  return { objects, complaints: [...complaints, ...missing] };
}
