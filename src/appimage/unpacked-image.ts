// An AppImage → the directory with its files, made once for its content.
import { chmodSync, existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { errnoOf } from '../errors.ts';
import { unpackedDirectory } from '../launch/unpacked.ts';
import { temporaryName } from '../platform/atomic-file.ts';
import { sha256OfText } from '../platform/content-hash.ts';
import { withLock } from '../platform/lock.ts';
import { makeDirectories } from '../platform/make-directories.ts';
import type { Place } from '../platform/places.ts';
import { debug, notice } from '../platform/report.ts';
import { type Adaptation, adaptPrograms } from './adapt-programs.ts';
import { type Unpacking, unpackFiles } from './unpack-files.ts';

export interface ImageRequest extends Unpacking {
  readonly sha256: string;
  readonly adaptation: Adaptation;
  readonly place: Place;
}

export interface UnpackedImage {
  /** Ours alone; what lies in it has the owners and modes of the image. */
  readonly directory: string;
  /** The image's own root: APPDIR. */
  readonly appDir: string;
  readonly appRun: string;
}

/** The name of the directory in which unsquashfs(1) would unpack by itself. */
const ROOT = 'squashfs-root';

function imageIn(directory: string): UnpackedImage {
  const appDir = path.join(directory, ROOT);
  return { directory, appDir, appRun: path.join(appDir, 'AppRun') };
}

/** Somebody else's of the same name is as good; one without its AppRun was damaged. */
function moveInto(temporary: string, image: UnpackedImage): void {
  try {
    renameSync(temporary, image.directory);
  } catch (error) {
    if (!['ENOTEMPTY', 'EEXIST', 'ENOTDIR'].includes(errnoOf(error) ?? '')) throw error;
    if (existsSync(image.appRun)) return;
    const damaged = temporaryName(image.directory);
    renameSync(image.directory, damaged);
    rmSync(damaged, { recursive: true, force: true });
    renameSync(temporary, image.directory);
  }
}

async function unpack(request: ImageRequest, image: UnpackedImage): Promise<void> {
  const temporary = temporaryName(image.directory);
  const { appDir } = imageIn(temporary);
  try {
    mkdirSync(temporary, { mode: 0o700 });
    mkdirSync(appDir, { mode: 0o755 });
    await unpackFiles(request, appDir);
    const unadapted = adaptPrograms(appDir, request.adaptation);
    for (const { file, why } of unadapted) debug(`${file} keeps its interpreter: ${why}`);
    const [first] = unadapted;
    if (first !== undefined)
      notice(
        `${request.given}: ${unadapted.length} of the programs in it may not find a loader, such as ${first.file}: ${first.why}`,
      );
    chmodSync(temporary, request.place.shared ? 0o755 : 0o700);
    moveInto(temporary, image);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

/**
 * Complete at every instant: unpacked under a temporary name, then renamed. By content and by launcher, so that an
 * updated AppImage, or a moved launcher, gets a directory of its own.
 * @throws ForeignError where it cannot be unpacked; Node's errors where the place cannot be written.
 */
export async function unpackedImage(request: ImageRequest): Promise<UnpackedImage> {
  const { place, sha256, adaptation } = request;
  const key = sha256OfText(JSON.stringify([sha256, adaptation.interpreter])).slice(0, 32);
  const image = imageIn(path.join(unpackedDirectory(place), key));
  if (existsSync(image.appRun)) return image;
  makeDirectories(path.dirname(image.directory));
  await withLock(path.join(place.locks, key), async () => {
    if (!existsSync(image.appRun)) await unpack(request, image);
  });
  return image;
}
