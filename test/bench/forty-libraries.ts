// gcc → a program with 40 libraries, each in a store object of its own.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Root } from '../rig/root.ts';

const COUNT = 40;

function compile(directory: string, program: string): string[] {
  const objects: string[] = [];
  const libraries: string[] = [];
  for (let i = 0; i < COUNT; i += 1) {
    const object = path.join(directory, `bench-library-${i}`);
    mkdirSync(path.join(object, 'lib'), { recursive: true });
    const source = path.join(directory, `f${i}.c`);
    writeFileSync(source, `int f${i}(void) { return ${i}; }\n`);
    const library = path.join(object, 'lib', `libbench${i}.so.1`);
    execFileSync('cc', ['-shared', '-fPIC', '-O1', `-Wl,-soname,libbench${i}.so.1`, '-o', library, source]);
    objects.push(object);
    libraries.push(library);
  }
  const numbers = [...Array(COUNT).keys()];
  const source = path.join(directory, 'main.c');
  const declarations = numbers.map((i) => `int f${i}(void);`).join(' ');
  const sum = numbers.map((i) => `f${i}()`).join(' + ');
  writeFileSync(source, `${declarations}\nint main(void) { return ${sum} == 780 ? 0 : 1; }\n`);
  execFileSync('cc', ['-O1', '-o', program, source, ...libraries]);
  return objects;
}

/** Makes the program and adds the libraries to a root's store; returns their directories there. */
export async function makeFortyLibraries(root: Root, program: string): Promise<string[]> {
  const directory = mkdtempSync(path.join(tmpdir(), 'nix-run-foreign-forty-'));
  try {
    const objects = compile(directory, program);
    const { stdout, stderr, status } = await root.runOnHost({ argv: ['nix-store', '--add', ...objects] });
    if (status !== 0) throw new Error(`nix-store --add: ${stderr}`);
    return stdout
      .trim()
      .split('\n')
      .map((storePath) => `${storePath}/lib`);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
