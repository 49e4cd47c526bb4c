// Programs → copies of them as src/patch makes them, and what the loader says of each.
import { spawnSync } from 'node:child_process';
import { readdirSync, realpathSync, statSync } from 'node:fs';
import path from 'node:path';
import { elfFileAt } from '../../../src/elf/open-elf.ts';
import { sha256OfFile } from '../../../src/host/file-identity.ts';
import { type CopyOutcome, makeCopy } from '../../../src/integrations/patch/patched-copy.ts';
import type { ProgramFile } from '../../../src/program/inspect-program.ts';

/** Real paths of the programs in directories that name this interpreter, sorted, each once; none that is setuid. */
export function programsNaming(interpreter: string, directories: readonly string[]): string[] {
  const found = new Set<string>();
  for (const directory of directories) {
    for (const name of readdirSync(directory)) {
      try {
        const real = realpathSync(path.join(directory, name));
        const { mode } = statSync(real);
        if ((mode & 0o6000) === 0 && elfFileAt(real)?.interpreter === interpreter) found.add(real);
      } catch {} // a link that leads nowhere
    }
  }
  return [...found].sort();
}

/** The copy of a program that names another interpreter, kept below `copies`. */
export function copyOfProgram(file: string, interpreter: string, copies: string): CopyOutcome {
  const { size } = statSync(file);
  const elf = elfFileAt(file);
  const program = { typedName: file, path: file, size, elf } as unknown as ProgramFile;
  return makeCopy({ program, sha256: sha256OfFile(file), interpreter, copies });
}

/**
 * `ld.so --list`: status, complaints, and the real files of all objects but the loader, which goes by the name that
 * the program has for it.
 */
export function listOf(loader: string, program: string): string {
  const { stdout, stderr, status } = spawnSync(loader, ['--list', program], { encoding: 'utf8', env: {} });
  const objects = stdout.split('\n').flatMap((line) => {
    const [name = '', file] = line
      .trim()
      .replace(/ \(0x[0-9a-f]+\)$/, '')
      .split(' => ');
    const real = (file ?? name).startsWith('/') ? realpathSync(file ?? name) : name;
    return real === realpathSync(loader) || real === '' ? [] : [`${path.basename(name)} ${real}`];
  });
  return [status, stderr.replaceAll(program, 'PROGRAM'), ...objects].join('\n');
}
