// The programs that making a rig needs → installed as root where they are absent.
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { execa } from 'execa';
import { say } from '../progress.ts';

const packageOf: Readonly<Record<string, string>> = {
  'nix-store': 'nix-bin',
  patchelf: 'patchelf',
  bwrap: 'bubblewrap',
  readelf: 'binutils',
  gcc: 'gcc',
};

/**
 * Makes sure that Nix, patchelf, bubblewrap, readelf and gcc are there.
 * Throws with what to do where one is missing and this user may not install it.
 */
export async function ensureHostTools(): Promise<void> {
  const missing = Object.keys(packageOf).filter((program) => !onPath(program));
  if (missing.length === 0) return;
  const names = missing.map((program) => packageOf[program] ?? program);
  const remedy = `apt-get install --no-install-recommends ${names.join(' ')}`;
  if (process.getuid?.() !== 0) throw new Error(`the rig needs ${missing.join(', ')}; as root: ${remedy}`);
  say(`installing ${names.join(' ')}`);
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  // Test files run at the same time: the second waits for the first.
  const install = [
    'install',
    '-o',
    'DPkg::Lock::Timeout=300',
    '-qq',
    '-y',
    '--no-install-recommends',
    ...names,
  ];
  const first = await execa('apt-get', install, { env, reject: false });
  if (first.exitCode === 0) return;
  await execa('apt-get', ['update', '-qq'], { env });
  await execa('apt-get', install, { env });
}

function onPath(program: string): boolean {
  for (const directory of (process.env['PATH'] ?? '').split(delimiter)) {
    try {
      accessSync(join(directory, program), constants.X_OK);
      return true;
    } catch {}
  }
  return false;
}
