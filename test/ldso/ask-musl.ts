// A program → what the real musl loader says of it, and the same of a simulated start.
import { spawnSync } from 'node:child_process';
import { elfFileAt } from '../../src/elf/open-elf.ts';
import { muslDirectoriesOf } from '../../src/ldso/search-paths.ts';
import type { Loader, SimulationRequest } from '../../src/ldso/simulation/request.ts';
import type { LoadTrace } from '../../src/ldso/simulation/trace.ts';
import type { Answer } from './ask-loader.ts';

/** Debian's musl, as it serves a program of this interpreter. */
export function muslLoader(path: string, interpreter: string | undefined): Loader | undefined {
  const elf = elfFileAt(path);
  const defaultDirectories = muslDirectoriesOf(interpreter ?? path, 'x86_64');
  const settings = {
    version: [1, 2],
    defaultDirectories,
    subdirectories: [],
    lib: undefined,
    platform: undefined,
  };
  return elf && { libc: 'musl', path, elf, settings };
}

/** Runs `ld-musl --list`. Lines for the loader itself are left out: one comes for each of the names it goes by. */
export function askMusl(
  request: Pick<SimulationRequest, 'loader' | 'program' | 'libraryPath' | 'preload'>,
  cwd: string,
): Answer {
  const { loader, program, libraryPath, preload = [] } = request;
  const env = { LD_LIBRARY_PATH: libraryPath, LD_PRELOAD: preload.join(':') };
  const args = ['--list', program.path];
  const { status, stdout, stderr } = spawnSync(loader.path, args, { env, cwd, encoding: 'latin1' });
  const own = program.elf.interpreter ?? loader.path;
  const list = stdout
    .split('\n')
    .map((line) => line.trim().replace(/ \(0x[0-9a-f]+\)$/, ''))
    .filter((line) => line !== '' && line !== own && !line.endsWith(`=> ${own}`));
  // Relocations come after what is simulated.
  const complaints = stderr
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('Error relocating '));
  return { status, list, complaints };
}

export function muslAnswerOf(trace: LoadTrace): Answer {
  const libraries = trace.objects.filter(({ role }) => role === 'library');
  return {
    status: trace.listStatus,
    list: libraries.map(({ name, path }) => `${name} => ${path}`),
    complaints: trace.errors.map(({ message }) => message),
  };
}
