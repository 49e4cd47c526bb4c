// The path a program names as its interpreter → who sits there.
import { readFileSync, realpathSync, statSync } from 'node:fs';
import { errnoOf } from '../errors.ts';

export type InterpreterKind = 'missing' | 'launcher' | 'nix-ld' | 'stub-ld' | 'loader' | 'unknown';

export interface Interpreter {
  readonly path: string;
  readonly kind: InterpreterKind;
  /** The file behind the links; undefined when missing. */
  readonly realPath: string | undefined;
  /** From the store object's name, e.g. [2, 0, 6]; undefined when it does not say. */
  readonly version: readonly number[] | undefined;
}

/** nix-ld and stub-ld have some 20-40 KiB, glibc's loader 200-900 KiB. */
const LARGEST_INTERPRETER = 4 << 20;

/** Our launcher holds the plan format's name; nix-ld (any version) reads NIX_LD...; NixOS' stub-ld prints a fixed sentence; a libc's loader reads LD_LIBRARY_PATH. */
function kindOfContent(content: Buffer): InterpreterKind {
  if (content.toString('latin1', 0, 4) !== '\x7fELF') return 'unknown';
  if (content.includes('nix-run-foreign plan')) return 'launcher';
  if (content.includes('NIX_LD')) return 'nix-ld';
  if (content.includes('NixOS cannot run dynamically linked executables')) return 'stub-ld';
  return content.includes('LD_LIBRARY_PATH') || content.includes('LD_PRELOAD') ? 'loader' : 'unknown';
}

function versionIn(realPath: string): readonly number[] | undefined {
  const digits = /-nix-ld-(?:rs-)?(\d+(?:\.\d+)*)/.exec(realPath)?.[1];
  return digits?.split('.').map(Number);
}

/** Looks at an interpreter path. Never throws: what cannot be read is `unknown`. */
export function inspectInterpreter(path: string): Interpreter {
  try {
    const realPath = realpathSync(path);
    const stats = statSync(realPath);
    const readable = stats.isFile() && stats.size <= LARGEST_INTERPRETER;
    const kind = readable ? kindOfContent(readFileSync(realPath)) : 'unknown';
    return { path, kind, realPath, version: versionIn(realPath) };
  } catch (error) {
    const missing = errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR';
    return { path, kind: missing ? 'missing' : 'unknown', realPath: undefined, version: undefined };
  }
}
