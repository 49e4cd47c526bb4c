// The path of a real glibc loader → the loader as the simulation wants it.
import assert from 'node:assert/strict';
import { elfAt } from '../../src/launch/loader-files.ts';
import type { Loader } from '../../src/loader/loader-request.ts';
import { loaderFactsOf } from '../../src/store/loader-facts.ts';

export function glibcLoader(path: string): Loader {
  const settings = loaderFactsOf(path);
  const elf = elfAt(path);
  assert.ok(settings && elf, `${path} is no glibc loader`);
  return { libc: 'glibc', path, elf, settings };
}
