// Packages → their files on this machine (kept between rigs), and each unpacked into a directory of its own.
import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { say } from '../progress.ts';
import type { Package } from './closure.ts';
import type { PrivateApt } from './private-apt.ts';

/** Downloads what is not there yet (apt checks the hashes) and returns each package's file. */
export async function download(apt: PrivateApt, packages: readonly Package[]): Promise<Map<Package, string>> {
  const archives = join(apt.directory, 'archives');
  const arriving = join(apt.directory, 'arriving');
  mkdirSync(archives, { recursive: true });
  mkdirSync(arriving, { recursive: true });
  const missing = packages.filter((p) => !existsSync(join(archives, p.file)));
  for (let start = 0; start < missing.length; start += 40) {
    say(`${apt.suite}: downloading packages ${start} of ${missing.length}`);
    const batch = missing.slice(start, start + 40);
    await execa(
      'apt-get',
      ['download', '-qq', ...batch.map((p) => `${p.name}:${p.architecture}=${p.version}`)],
      { env: { APT_CONFIG: apt.configuration }, cwd: arriving },
    );
    for (const p of batch) renameSync(join(arriving, p.file), join(archives, p.file));
  }
  return new Map(packages.map((p) => [p, join(archives, p.file)]));
}

/** Where a package is unpacked, below the directory of all unpacked ones. */
export function unpackedName(p: Package): string {
  return join(p.suite, p.architecture === 'amd64' ? p.name : `${p.name}-${p.architecture}`);
}

/** Unpacks each package file into `<into>/<unpackedName>`, two at a time. */
export async function unpack(files: ReadonlyMap<Package, string>, into: string): Promise<void> {
  const queue = [...files];
  const total = queue.length;
  const worker = async () => {
    for (let next = queue.pop(); next; next = queue.pop()) {
      const [p, file] = next;
      if (queue.length % 50 === 0) say(`unpacking packages, ${queue.length} of ${total} to go`);
      const directory = join(into, unpackedName(p));
      mkdirSync(directory, { recursive: true });
      await execa('dpkg-deb', ['-x', file, directory]);
    }
  };
  await Promise.all([worker(), worker()]);
}
