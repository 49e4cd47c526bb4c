// The path of a real glibc loader → the loader as the simulation wants it.
import assert from 'node:assert/strict';
import type { Loader } from '../../src/loader/loader-request.ts';
import { loaderFactsOf } from '../../src/store/loader-facts.ts';
import { elfFileAt } from '../../src/store/read-elf-file.ts';

export function glibcLoader(path: string): Loader {
  const settings = loaderFactsOf(path);
  const elf = elfFileAt(path);
  assert.ok(settings && elf, `${path} is no glibc loader`);
  return { libc: 'glibc', path, elf, settings };
}
