// A solution → its fingerprint.
import type { Program } from '../candidates/program.ts';
import { findMachine } from '../elf/machine.ts';
import type { Solution } from '../solve/solution.ts';
import { FINGERPRINT_VERSION, type Fingerprint, type StoreFile } from './fingerprint.ts';

/** What a fingerprint says of its program. */
export function programPart(program: Program, sha256: string): Fingerprint['program'] {
  return {
    sha256,
    size: program.size,
    system: program.elf === undefined ? '' : (findMachine(program.elf)?.system ?? ''),
    interpreter: program.elf?.interpreter ?? '',
  };
}

/**
 * Writes down a solved set. `narHashOf` gives Nix's hash of a store path, where it is known; `choices` is the digest
 * of the user's choices.
 */
export function fingerprintOf(
  program: Program,
  sha256: string,
  solution: Solution,
  narHashOf: (storePath: string) => string | undefined,
  toolVersion: string,
  choices: string | undefined,
): Fingerprint {
  const storeFile = (storePath: string, file: string): StoreFile => {
    const narHash = narHashOf(storePath);
    return { storePath, file, ...(narHash === undefined ? {} : { narHash }) };
  };
  const { loader } = solution;
  return {
    version: FINGERPRINT_VERSION,
    program: programPart(program, sha256),
    loader: storeFile(loader.storePath, loader.path.slice(loader.storePath.length + 1)),
    libraries: solution.choices.map(({ name, provider }) => ({
      soname: name,
      ...storeFile(provider.storePath, provider.file),
      match: provider.match ?? 'exact',
    })),
    ...(choices === undefined ? {} : { choices }),
    tool: { name: 'nix-run-foreign', version: toolVersion },
  };
}
