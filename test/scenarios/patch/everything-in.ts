// A directory → everything that stat(2) says but the time of access, and the content, of all files in it.
import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

export function everythingIn(dir: string): string {
  const lines = readdirSync(dir, { recursive: true, encoding: 'utf8' })
    .sort()
    .map((name) => {
      const file = path.join(dir, name);
      const { mode, uid: owner, size, mtimeNs, ino, nlink } = lstatSync(file, { bigint: true });
      const isFile = lstatSync(file).isFile();
      const hash = isFile ? createHash('sha256').update(readFileSync(file)).digest('hex') : '';
      return [name, mode, owner, isFile ? size : '', isFile ? mtimeNs : '', ino, nlink, hash].join(' ');
    });
  return lines.join('\n');
}
