// What a test needs of the machine: tools, installed from Debian when they are missing, and the rights of root.
import { execFileSync } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import path from 'node:path';
import { runs32BitPrograms } from '../../src/host/processor.ts';

function isThere(command: string): boolean {
  if (command.startsWith('/')) return existsSync(command);
  return (process.env['PATH'] ?? '').split(':').some((directory) => {
    try {
      accessSync(path.join(directory, command), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** A command, or a file by its absolute path. @throws Error when the tool is missing and cannot be installed: a test never passes for lack of a tool. */
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

/** Options of a test that changes users, owners or mounts: another user sees it reported as skipped. */
export const asRoot = process.getuid?.() === 0 ? {} : { skip: 'needs root' };

/** Options of a test that starts 32-bit programs: some kernels run none, whatever their configuration says. */
export const on32Bit: { readonly skip?: string } = !runs32BitPrograms()
  ? { skip: 'this kernel runs no 32-bit programs' }
  : {};

function said(command: string, ...args: readonly string[]): string {
  return execFileSync(command, args, { encoding: 'utf8' }).trim();
}

/**
 * What `cc -m32` needs to link, on x86-64. Debian's gcc-multilib has it too, and removes the compilers for other machines.
 */
export function needCompilerFor32Bit(): void {
  if (process.arch !== 'x64') return;
  needTool('/usr/lib32/crt1.o', 'libc6-dev-i386');
  needTool(said('gcc', '-m32', '-print-libgcc-file-name'), `gcc-${said('gcc', '-dumpversion')}-multilib`);
}
