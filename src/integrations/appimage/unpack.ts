// An AppImage → the directory with its files, made once for its content by a program that can read its file system.
import { chmodSync, existsSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import type { AppImage } from '../../elf/app-image.ts';
import { temporaryName } from '../../host/atomic-file.ts';
import type { Directories } from '../../host/directories.ts';
import { type ExitCode, errnoOf, ForeignError } from '../../host/errors.ts';
import { identityOf, sha256OfText } from '../../host/file-identity.ts';
import { makeDirectories } from '../../host/files.ts';
import { withLock } from '../../host/mutex.ts';
import { debug, notice } from '../../host/output.ts';
import { type Ended, runProgram } from '../../host/run-program.ts';
import { unpackedDirectory } from '../../plan/copy-directories.ts';
import { type Adaptation, adaptPrograms } from './adapt.ts';
import { makeOurs } from './own-files.ts';

interface Unpacking {
  /** As the user gave it, for messages. */
  readonly typedName: string;
  readonly file: string;
  readonly image: AppImage;
  /** PATH, to look for the unpackers in. */
  readonly searchPath: string | undefined;
}

interface Unpacker {
  readonly program: string;
  readonly args: readonly string[];
  /** Exit statuses after which the files are there. */
  readonly succeeds: readonly number[];
}

const LONGEST = 30 * 60 * 1000;
/** Milliseconds of silence; then the user is told what takes so long. */
const SILENCE = 1000;

function refuse(typedName: string, cause: string, hint: string, exitCode: ExitCode = 126): ForeignError {
  return new ForeignError(`${typedName}: ${cause}`, { code: 'appimage', hint, exitCode });
}

/** unsquashfs(1): 2 is for what could not be kept of owners, devices and attributes, and the files are there. */
function unpackersOf({ image, file }: Unpacking, directory: string): Unpacker[] {
  if (image.type === 2) {
    // Before 4.5 it refuses a directory that is there.
    const into = ['-force', '-dest', directory];
    const args = ['-no-progress', '-no-xattrs', '-offset', String(image.offset), ...into, file];
    return [{ program: 'unsquashfs', args, succeeds: [0, 2] }];
  }
  // Both know zisofs, by which such images are compressed, and symbolic links of Rock Ridge; 7z knows neither.
  const restore = ['-osirrox', 'on:auto_chmod_on', '-indev', file, '-extract', '/', directory];
  return [
    { program: 'bsdtar', args: ['-x', '-f', file, '-C', directory], succeeds: [0] },
    { program: 'xorriso', args: restore, succeeds: [0] },
  ];
}

async function run({ program, args }: Unpacker, { typedName, file, searchPath }: Unpacking): Promise<Ended> {
  const megabytes = Math.ceil(statSync(file).size / 1e6);
  const timer = setTimeout(() => notice(`unpacking ${typedName} (${megabytes} MB), this once`), SILENCE);
  try {
    return await runProgram(program, args, {
      env: { PATH: searchPath ?? '/usr/bin:/bin' },
      timeout: LONGEST,
    });
  } finally {
    clearTimeout(timer);
  }
}

function lastLine(text: string): string | undefined {
  return text.trim().split('\n').at(-1)?.trim();
}

/**
 * Unpacks into a directory that is there and empty.
 * @throws ForeignError where no program of the machine can, and where the image is damaged.
 */
async function unpackFiles(unpacking: Unpacking, directory: string): Promise<void> {
  const { typedName, image } = unpacking;
  const unpackers = unpackersOf(unpacking, directory);
  for (const unpacker of unpackers) {
    const { status, failure, stderr, stdout } = await run(unpacker, unpacking);
    if (failure === 'ENOENT') continue;
    if (status !== undefined && unpacker.succeeds.includes(status)) return await settle(directory, unpacking);
    const why = lastLine(stderr) || lastLine(stdout) || failure || `exit status ${status ?? 'unknown'}`;
    throw refuse(
      typedName,
      `${unpacker.program} cannot unpack it: ${why}`,
      'make room, or download it again',
      125,
    );
  }
  const names = unpackers.map(({ program }) => program).join(' or ');
  throw refuse(
    typedName,
    `it is an AppImage of type ${image.type}, and there is no ${names} on PATH to unpack it`,
    image.type === 2
      ? 'install squashfs-tools (nixpkgs before 26.05: squashfsTools)'
      : 'install libarchive-tools (Nix: libarchive) or xorriso',
  );
}

/** sync(1) -f: thousands of files, so that a loss of power does not leave empty ones under the final name. */
async function settle(directory: string, { typedName, searchPath }: Unpacking): Promise<void> {
  await runProgram('sync', ['-f', directory], {
    env: { PATH: searchPath ?? '/usr/bin:/bin' },
    timeout: LONGEST,
  });
  if (!existsSync(path.join(directory, 'AppRun')))
    throw refuse(
      typedName,
      'there is no AppRun in it that could be started',
      'ask its vendor for a whole one',
    );
}

interface ImageRequest extends Unpacking {
  readonly sha256: string;
  /** Of the file when it was inspected, before it was hashed. */
  readonly identity: string;
  readonly adaptation: Adaptation;
  readonly dirs: Directories;
}

interface UnpackedImage {
  /** Ours alone, and so is what lies in it. */
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
    // What was unpacked is saved under the hash of what was hashed.
    if (identityOf(request.file) !== request.identity)
      throw refuse(request.typedName, 'it changed while it was unpacked', 'start it again', 125);
    makeOurs(appDir, request.dirs.shared ? 'everybody' : 'owner');
    const unadapted = adaptPrograms(appDir, request.adaptation);
    for (const { file, why } of unadapted) debug(`${file} keeps its interpreter: ${why}`);
    const [first] = unadapted;
    if (first !== undefined)
      notice(
        `${request.typedName}: ${unadapted.length} of the programs in it may not find a loader, such as ${first.file}: ${first.why}`,
      );
    chmodSync(temporary, request.dirs.shared ? 0o755 : 0o700);
    moveInto(temporary, image);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

/**
 * What lies in a private directory was unpacked by a version that kept set-id bits: it goes before others may enter.
 */
function openAbove(directory: string): void {
  const mode = statSync(directory, { throwIfNoEntry: false })?.mode ?? 0;
  if ((mode & 0o777) === 0o755) return;
  rmSync(directory, { recursive: true, force: true });
  makeDirectories(directory, 0o755);
  chmodSync(directory, 0o755); // whatever the umask
}

/**
 * Complete at every instant: unpacked under a temporary name, then renamed. By content and by launcher, so that an
 * updated AppImage, or a moved launcher, gets a directory of its own.
 * @throws ForeignError where it cannot be unpacked; Node's errors where the place cannot be written.
 */
export async function unpackedImage(request: ImageRequest): Promise<UnpackedImage> {
  const { dirs, sha256, adaptation } = request;
  const key = sha256OfText(JSON.stringify([sha256, adaptation.interpreter])).slice(0, 32);
  const image = imageIn(path.join(unpackedDirectory(dirs), key));
  const above = path.dirname(image.directory);
  if (dirs.shared) openAbove(above);
  if (existsSync(image.appRun)) return image;
  makeDirectories(above);
  await withLock(path.join(dirs.locks, key), async () => {
    if (!existsSync(image.appRun)) await unpack(request, image);
  });
  return image;
}
