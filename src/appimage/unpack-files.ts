// An AppImage → its files in a directory, by a program of the machine that can read its file system.
import { existsSync, statSync } from 'node:fs';
import path from 'node:path';
import type { AppImage } from '../elf/app-image-payload.ts';
import { type ExitCode, ForeignError } from '../errors.ts';
import { notice } from '../platform/report.ts';
import { type Ended, runProgram } from '../platform/run-program.ts';

export interface Unpacking {
  /** As the user gave it, for messages. */
  readonly given: string;
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

function refuse(given: string, cause: string, hint: string, exitCode: ExitCode = 126): ForeignError {
  return new ForeignError(`${given}: ${cause}`, { code: 'appimage', hint, exitCode });
}

/** unsquashfs(1): 2 is for what could not be kept of owners, devices and attributes, and the files are there. */
function unpackersOf({ image, file }: Unpacking, directory: string): Unpacker[] {
  if (image.type === 2) {
    const args = ['-no-progress', '-no-xattrs', '-offset', String(image.offset), '-dest', directory, file];
    return [{ program: 'unsquashfs', args, succeeds: [0, 2] }];
  }
  // Both know zisofs, by which such images are compressed, and symbolic links of Rock Ridge; 7z knows neither.
  const restore = ['-osirrox', 'on:auto_chmod_on', '-indev', file, '-extract', '/', directory];
  return [
    { program: 'bsdtar', args: ['-x', '-f', file, '-C', directory], succeeds: [0] },
    { program: 'xorriso', args: restore, succeeds: [0] },
  ];
}

async function run({ program, args }: Unpacker, { given, file, searchPath }: Unpacking): Promise<Ended> {
  const megabytes = Math.ceil(statSync(file).size / 1e6);
  const timer = setTimeout(() => notice(`unpacking ${given} (${megabytes} MB), this once`), SILENCE);
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
export async function unpackFiles(unpacking: Unpacking, directory: string): Promise<void> {
  const { given, image } = unpacking;
  const unpackers = unpackersOf(unpacking, directory);
  for (const unpacker of unpackers) {
    const { status, failure, stderr, stdout } = await run(unpacker, unpacking);
    if (failure === 'ENOENT') continue;
    if (status !== undefined && unpacker.succeeds.includes(status)) return await settle(directory, unpacking);
    const why = lastLine(stderr) || lastLine(stdout) || failure || `exit status ${status ?? 'unknown'}`;
    throw refuse(
      given,
      `${unpacker.program} cannot unpack it: ${why}`,
      'make room, or download it again',
      125,
    );
  }
  const names = unpackers.map(({ program }) => program).join(' or ');
  throw refuse(
    given,
    `it is an AppImage of type ${image.type}, and there is no ${names} on PATH to unpack it`,
    image.type === 2
      ? 'install squashfs-tools (Nix: squashfsTools)'
      : 'install libarchive-tools (Nix: libarchive) or xorriso',
  );
}

/** sync(1) -f: thousands of files, so that a loss of power does not leave empty ones under the final name. */
async function settle(directory: string, { given, searchPath }: Unpacking): Promise<void> {
  await runProgram('sync', ['-f', directory], {
    env: { PATH: searchPath ?? '/usr/bin:/bin' },
    timeout: LONGEST,
  });
  if (!existsSync(path.join(directory, 'AppRun')))
    throw refuse(given, 'there is no AppRun in it that could be started', 'ask its vendor for a whole one');
}
