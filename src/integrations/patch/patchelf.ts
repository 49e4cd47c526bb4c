// A program without room for another interpreter's name → a copy that patchelf made larger.

import { findOnPath } from '../../host/files.ts';
import { runProgramNow } from '../../host/run-program.ts';
import type { ProgramFile } from '../../program/inspect-program.ts';

const TIMEOUT = 60_000;

/** patchelf moves what lies behind the headers, so nothing that was appended to the program would be found again. */
export function whyNoPatchelf(
  { size, elf }: Pick<ProgramFile, 'size' | 'elf'>,
  searchPath: string | undefined,
): string | undefined {
  if (elf === undefined || elf.end < size) return 'patchelf would move what is appended to it';
  if (searchPath === undefined) return 'there is no PATH to find patchelf in';
  return findOnPath('patchelf', searchPath) === undefined ? 'there is no patchelf in PATH' : undefined;
}

/**
 * @returns undefined when `target` is written, else why not, as one clause.
 */
export function patchWithPatchelf(
  program: Pick<ProgramFile, 'path' | 'size' | 'elf'>,
  interpreter: string,
  target: string,
  searchPath: string | undefined,
): string | undefined {
  const why = whyNoPatchelf(program, searchPath);
  if (why !== undefined) return why;
  const args = ['--set-interpreter', interpreter, '--output', target, program.path];
  const options = { env: { PATH: searchPath ?? '' }, timeout: TIMEOUT };
  const { failure, status, stderr } = runProgramNow('patchelf', args, options);
  if (status === 0) return undefined;
  return `patchelf failed: ${stderr.trim().split('\n')[0] ?? failure ?? ''}`;
}
