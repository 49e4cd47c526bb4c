// The name of a tool to its presence: installed from Debian when it is missing and this is root.
import { execFileSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import path from 'node:path';

function isThere(command: string): boolean {
  return (process.env['PATH'] ?? '').split(':').some((directory) => {
    try {
      accessSync(path.join(directory, command), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** @throws Error when the tool is missing and cannot be installed: a test never passes for lack of a tool. */
export function needTool(command: string, debianPackage: string): void {
  if (isThere(command)) return;
  const apt = ['-y', '--no-install-recommends', '-o', 'DPkg::Lock::Timeout=300'];
  const options = { env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }, stdio: 'ignore' } as const;
  try {
    execFileSync('apt-get', ['install', ...apt, debianPackage], options);
  } catch {
    execFileSync('apt-get', ['update', '-q'], options);
    execFileSync('apt-get', ['install', ...apt, debianPackage], options);
  }
}
