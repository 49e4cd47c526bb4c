// C text and compiler flags -> a real ELF file in a temporary directory, removed when the tests end.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';

const directory = mkdtempSync(join(tmpdir(), 'elf-test-'));
after(() => rmSync(directory, { recursive: true, force: true }));

export function scratchPath(name: string): string {
  return join(directory, name);
}

export function writeScratch(name: string, content: string | Uint8Array): string {
  const path = scratchPath(name);
  writeFileSync(path, content);
  return path;
}

/** Compiles `source` with gcc to `name` and gives its path. `flags` come after the source, so they may name libraries. */
export function compileC(name: string, source: string, flags: readonly string[]): string {
  const sourcePath = writeScratch(`${name}.c`, source);
  const path = scratchPath(name);
  execFileSync('gcc', ['-O1', '-o', path, sourcePath, ...flags], { stdio: ['ignore', 'ignore', 'inherit'] });
  return path;
}

export function bytesOf(path: string): Uint8Array {
  return readFileSync(path);
}
