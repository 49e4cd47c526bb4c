// The launcher of this command → the paths by which it is there, first those that a collection of the store leaves.
import path from 'node:path';
import { allOnPath, realPath } from '../host/files.ts';
import { notice } from '../host/output.ts';
import { objectNameIn } from '../store/store-location.ts';

/**
 * A profile's link to the launcher outlives its update, the file in the store behind it does not. `nix-run-foreign` of
 * PATH counts where it is this very launcher; `nix shell` and direnv put the store's own in front of a profile's.
 */
export function launcherPaths(own: string, searchPath: string | undefined): readonly [string, ...string[]] {
  const real = realPath(own);
  const onPath = allOnPath(path.basename(own), searchPath).filter(
    (each) => path.isAbsolute(each) && realPath(each) === real,
  );
  const [first = own, ...others] = [...onPath, own].toSorted(
    (a, b) => Number(isOfStore(a)) - Number(isOfStore(b)),
  );
  return [first, ...others];
}

function isOfStore(file: string): boolean {
  return objectNameIn(file) !== undefined;
}

/** Says of what names this path of the launcher (`the shims`) that it will not last, where that is so. */
export function noticeCollection(launcher: string, what: string, remedy: string): void {
  if (isOfStore(launcher))
    notice(
      `${what} end when the store is collected or the package upgraded, since they name ${launcher}; ${remedy}`,
    );
}
