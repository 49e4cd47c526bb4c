// The place of a root link → nothing there but a link into the store: Nix replaces no other thing.
import { lstatSync, readlinkSync, rmSync } from 'node:fs';
import path from 'node:path';
import { debug } from '../platform/report.ts';

function isLinkInto(file: string, storeDir: string): boolean {
  return lstatSync(file).isSymbolicLink() && readlinkSync(file).startsWith(`${storeDir}/`);
}

/** Removes whatever else is where a root link shall be, or where its directory shall be. */
export function clearRootPlace(link: string, storeDir: string): void {
  const directory = path.dirname(link);
  try {
    if (!lstatSync(directory).isDirectory()) rmSync(directory, { force: true });
    else if (!isLinkInto(link, storeDir)) {
      debug(`${link} is no link into the store and is removed`);
      rmSync(link, { recursive: true, force: true });
    }
  } catch {} // mostly: nothing is there
}
