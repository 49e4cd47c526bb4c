// Files as an image brought them → files that are ours: no rights of others, no set-id bits, no devices.
import { chmodSync, lchownSync, lstatSync, rmSync, type Stats } from 'node:fs';
import { filesBelow } from '../../host/files.ts';

/** Who may look into the directory around the files. */
export type Readers = 'owner' | 'everybody';

/** unsquashfs and bsdtar give files to whoever the image names when root runs them. */
function takeOver(file: string, stats: Stats): void {
  const [uid, gid] = [process.geteuid?.() ?? 0, process.getegid?.() ?? 0];
  if (stats.uid !== uid || stats.gid !== gid) lchownSync(file, uid, gid);
}

/** What its owner may, everybody may too, but not write. */
function modeFor({ mode }: Stats, readers: Readers): number {
  const own = mode & 0o777;
  if (readers === 'owner') return own;
  return (own & 0o700) | ((own & 0o500) >> 3) | ((own & 0o500) >> 6);
}

function settle(file: string, needed: number, readers: Readers): void {
  const stats = lstatSync(file);
  takeOver(file, stats);
  stats.mode |= needed;
  chmodSync(file, modeFor(stats, readers));
}

/**
 * Makes the tree ours. Set-id bits go, since what an image says is no decision of the administrator's, and so does
 * what is neither file, directory nor link. Directories can be written, so that they can be removed again.
 * @throws Node's errors.
 */
export function makeOurs(directory: string, readers: Readers): void {
  settle(directory, 0o700, readers);
  for (const { file, kind } of filesBelow(directory)) {
    if (kind === 'directory') settle(file, 0o700, readers);
    if (kind === 'file') settle(file, 0o400, readers);
    if (kind === 'link') takeOver(file, lstatSync(file));
    if (kind === 'other') rmSync(file);
  }
}
