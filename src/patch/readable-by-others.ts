// A file's path → whether every user may read and run it, by the modes of the file and of the directories above.
import { statSync } from 'node:fs';
import path from 'node:path';

/** `file`: a real path. The modes' last three bits are all that others have, also under acl(5). */
export function isReadableByOthers(file: string): boolean {
  if ((statSync(file).mode & 0o005) !== 0o005) return false;
  for (let above = path.dirname(file); ; above = path.dirname(above)) {
    if ((statSync(above).mode & 0o001) === 0) return false;
    if (above === path.dirname(above)) return true;
  }
}
