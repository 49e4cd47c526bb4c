// A fingerprint that somebody else made → the verdict on it here, of the simulation and of the loader itself.
import { realpathSync } from 'node:fs';
import path from 'node:path';
import { whyNoLoaderFile } from '../candidates/loader-file.ts';
import type { Fingerprint, FingerprintLibrary } from '../fingerprint/fingerprint.ts';
import { enact, type Proven, pathOfStoreFile } from '../launch/enact.ts';
import { foresee } from '../launch/foresee.ts';
import { complaintsOf } from '../launch/trace-complaints.ts';
import { elfFileAt } from '../store/read-elf-file.ts';
import { servedBeside } from './served-beside.ts';
import type { Dynamic } from './subject.ts';

function isLinkTo(link: string, file: string): boolean {
  try {
    return realpathSync.native(link) === realpathSync.native(file);
  } catch {
    return false;
  }
}

/** An exact match has the name itself, as its soname, its file's name, or that of a link beside it (store/scan-object.ts). */
function isNamed(library: FingerprintLibrary): boolean {
  const { soname } = library;
  const file = pathOfStoreFile(library);
  // The file itself is read last: that takes the longest.
  if (path.basename(file) === soname || isLinkTo(path.join(path.dirname(file), soname), file)) return true;
  return elfFileAt(file)?.soname === soname;
}

/** The proven set, its farm below `farms`; or why the program would not start with it, in a clause. */
export async function proveHere(
  fingerprint: Fingerprint,
  subject: Dynamic,
  farms: string,
): Promise<Proven | string> {
  const { program, elf, libc } = subject;
  // Before anything of the document is run: whoever may add to the store could have called any program so.
  const noLoader = whyNoLoaderFile(pathOfStoreFile(fingerprint.loader), elf, libc);
  if (noLoader !== undefined) return noLoader;
  const beside = servedBeside(fingerprint, subject);
  if (beside !== undefined) return `it serves ${beside}, which lies beside the program`;
  const misnamed = fingerprint.libraries.find((each) => each.match === 'exact' && !isNamed(each));
  if (misnamed !== undefined) {
    return `${pathOfStoreFile(misnamed)} is not called ${misnamed.soname}, as an exact match is`;
  }
  const proven = await enact(fingerprint, program.path, libc, farms, { binding: 'start' });
  if (proven.kind === 'vanished') return `${proven.file} is gone`;
  if (proven.kind === 'rejected') return proven.complaints[0] ?? 'no reason given';
  const trace = foresee({ path: program.path, elf }, libc, proven.loader, proven.libraryPath);
  return complaintsOf(trace)[0] ?? proven;
}
