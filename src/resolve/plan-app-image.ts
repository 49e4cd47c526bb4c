// An AppImage → the plan that starts the AppRun in it, with what AppImages' own programs tell it.

import type { AppImage } from '../elf/app-image.ts';
import type { Directories } from '../host/directories.ts';
import { ForeignError } from '../host/errors.ts';
import { sha256OfProgram } from '../host/file-identity.ts';
import { fileWord } from '../host/shell-words.ts';
import { unpackedImage } from '../integrations/appimage/unpack.ts';
import { isReadableByOthers, unlikeForeign } from '../integrations/patch/patched-copy.ts';
import { collectFarms } from '../plan/collect-farms.ts';
import { directPlan } from '../plan/make-plan.ts';
import { removePlan } from '../plan/plan-files.ts';
import type { Argument, LaunchPlan } from '../plan/plan-format.ts';
import type { ProgramFile } from '../program/inspect-program.ts';
import type { Context } from './context.ts';
import { LAUNCHER_REMEDY } from './own-package.ts';

const literal = (text: string): Argument => ({ kind: 'literal', text });

function launcherOf({ launcher }: Context, { typedName }: ProgramFile): string {
  if (launcher !== undefined) return launcher;
  throw new ForeignError(`${typedName}: there is no launcher that could start what is in it`, {
    code: 'no-launcher',
    hint: LAUNCHER_REMEDY,
    exitCode: 125,
  });
}

/** What everybody starts is what was unpacked, so that it could be read. What was unpacked of it before goes, too. */
function refuseUnread({ typedName, path }: ProgramFile, dirs: Directories): void {
  if (!dirs.shared || isReadableByOthers(path)) return;
  removePlan(dirs, path);
  collectFarms(dirs);
  throw new ForeignError(`${typedName}: others may not read it, and would read its unpacked files`, {
    code: 'unread-by-others',
    hint: `let them: chmod o+rx ${fileWord(path)}, and o+x each directory above it; or leave --system out`,
    exitCode: 125,
  });
}

/**
 * AppRun is a program like any other: a script, a foreign program, a link to one. The launcher starts it by a plan of
 * its own. APPDIR, APPIMAGE, ARGV0 and OWD as in type2-runtime (runtime.c, main) and in the AppImage documentation,
 * "Environment variables".
 */
export async function planAppImage(
  program: ProgramFile,
  appImage: AppImage,
  context: Context,
  dirs: Directories,
): Promise<LaunchPlan> {
  refuseUnread(program, dirs);
  const launcher = launcherOf(context, program);
  const sha256 = await sha256OfProgram(program.path);
  const searchPath = context.env['PATH'];
  const image = await unpackedImage({
    typedName: program.typedName,
    file: program.path,
    image: appImage,
    searchPath,
    sha256,
    identity: program.identity,
    dirs,
    adaptation: {
      interpreter: unlikeForeign(launcher),
      storeDir: context.location.storeDir,
    },
  });
  return {
    ...directPlan(program),
    sha256,
    origin: `an AppImage of type ${appImage.type}, unpacked in ${image.appDir}`,
    directories: [image.directory],
    files: [image.appRun],
    execute: launcher,
    directoryVariables: ['OWD'],
    argv0Variables: ['ARGV0'],
    environment: [
      ['APPDIR', image.appDir],
      ['APPIMAGE', program.path],
    ],
    argv: [literal(launcher), literal('--argv0'), { kind: 'argv0' }, literal('--'), literal(image.appRun)],
  };
}
