// What shall lie in it → a small real AppImage in the home of a root, made as vendors make them.
import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  closeSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { homeInRoot } from '../../rig/root.ts';
import { compile, compileLibrary } from '../compile.ts';
import { onHost } from '../foreign-files.ts';
import type { ToolRoot } from '../tool.ts';

const sources = path.join(import.meta.dirname, 'programs');
const sourceOf = (name: string) => readFileSync(path.join(sources, `${name}.c`), 'utf8');

/** How AppRun gets to the program: a script of the vendor's Linux, a C program, a link. */
export type AppRun = 'script' | 'program' | 'link';

/** `$ORIGIN/../lib` as linuxdeploy sets it, or nothing, as AppImageKit's AppRun expects. */
function putApp(directory: string, name: string, runPath: 'run path' | 'none'): void {
  const library = path.join(directory, 'usr/lib/libinside.so.1');
  const flags = runPath === 'none' ? [] : ['-Wl,-rpath,$ORIGIN/../lib'];
  compile(path.join(directory, 'usr/bin', name), sourceOf('app'), [library, '-l:libz.so.1', ...flags]);
}

const ENTRY = '[Desktop Entry]\nType=Application\nName=App\nExec=app %U\nIcon=app\n';

/** An AppDir with two foreign programs, a library of its own, an AppRun, an entry for menus and its icon. */
export function makeAppDir(directory: string, appRun: AppRun): void {
  const library = path.join(directory, 'usr/lib/libinside.so.1');
  compileLibrary(library, 'libinside.so.1', 'const char *inside(void) { return "bundled"; }');
  const runPath = appRun === 'program' ? 'none' : 'run path';
  for (const name of ['app', 'second']) putApp(directory, name, runPath);
  writeFileSync(path.join(directory, 'app.desktop'), ENTRY);
  writeFileSync(path.join(directory, 'app.svg'), '<svg xmlns="http://www.w3.org/2000/svg"/>\n');
  const file = path.join(directory, 'AppRun');
  if (appRun === 'link') symlinkSync('usr/bin/app', file);
  if (appRun === 'program') compile(file, sourceOf('app-run'), ['-l:libz.so.1']);
  if (appRun === 'script')
    writeFileSync(file, '#!/bin/bash -e\nexec "$APPDIR/usr/bin/app" "$@"\n', { mode: 0o755 });
}

/** `AI` and the type, AppImage specification, "image format". */
function mark(file: string, type: 1 | 2): void {
  const fd = openSync(file, 'r+');
  writeSync(fd, Buffer.from([0x41, 0x49, type]), 0, 3, 8);
  closeSync(fd);
}

/** The program in front of a type 2 image: dynamic, and in need of a library, as those that use libfuse.so.2. */
function putType2(directory: string, output: string): void {
  const image = `${directory}.squashfs`;
  execFileSync('mksquashfs', [directory, image, '-root-owned', '-noappend', '-quiet', '-no-progress']);
  compile(output, 'const char *zlibVersion(void); int main(void) { return !zlibVersion(); }', [
    '-l:libz.so.1',
  ]);
  mark(output, 2);
  appendFileSync(output, readFileSync(image));
}

/** A type 1 image is the ISO file system itself; its first 32 KiB, free in ISO 9660, hold the program. */
function putType1(directory: string, output: string): void {
  const exit = 'void _start(void) { __asm__("mov $60, %eax; mov $42, %edi; syscall"); }';
  const program = compile(`${directory}.program`, exit, [
    '-nostdlib',
    '-static',
    '-Wl,--build-id=none',
    '-s',
  ]);
  const size = statSync(program).size;
  if (size > 32 * 1024) throw new Error(`${size} bytes do not fit in front of the volume descriptors`);
  mark(program, 1);
  execFileSync('xorriso', ['-as', 'mkisofs', '-quiet', '-R', '-z', '-o', output, directory], {
    stdio: 'pipe',
  });
  const fd = openSync(output, 'r+');
  writeSync(fd, readFileSync(program));
  closeSync(fd);
}

/** Packs an AppDir; returns the AppImage's path in the root. */
export function putAppImage(root: ToolRoot, name: string, type: 1 | 2, appRun: AppRun): string {
  const inRoot = path.join(homeInRoot, 'Apps', name);
  const output = onHost(root, inRoot);
  const scratch = mkdtempSync(path.join(tmpdir(), 'appdir-'));
  try {
    const directory = path.join(scratch, 'AppDir');
    mkdirSync(directory);
    makeAppDir(directory, appRun);
    mkdirSync(path.dirname(output), { recursive: true });
    (type === 2 ? putType2 : putType1)(directory, output);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
  chmodSync(output, 0o755);
  return inRoot;
}

const STARTER = (directory: string, name: string) => `
#include <unistd.h>
int main(int argc, char **argv)
{
	char *words[64] = {"${directory}/ld.so", "--library-path", "${directory}", "${directory}/${name}.host"};
	for (int i = 1; i < argc && i < 56; i++)
		words[i + 3] = argv[i];
	execv(words[0], words);
	return 127;
}`;

/** Programs of the host with their libraries, to be bound at `directory` in a root: for its PATH. */
export function makeHostTools(output: string, directory: string, names: readonly string[]): void {
  for (const name of names) {
    const file = execFileSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).trim();
    copyFileSync(file, path.join(output, `${name}.host`));
    for (const library of execFileSync('ldd', [file], { encoding: 'utf8' }).matchAll(/\/\S+/g)) {
      const isLoader = /\/ld-linux/.test(library[0]);
      copyFileSync(library[0], path.join(output, isLoader ? 'ld.so' : path.basename(library[0])));
    }
    compile(path.join(output, name), STARTER(directory, name), ['-static']);
  }
}
