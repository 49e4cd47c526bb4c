// What a program of another distribution needs → such a program, compiled, and a store without what it was built with.
import { readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { homeInRoot, type Root } from '../../rig/root.ts';
import { compile, compileLibrary } from '../compile.ts';
import { onHost } from '../foreign-files.ts';

/** Takes every store object whose name matches out of the root's store, as if nobody had ever installed it. */
export function withoutObjects(root: Root, pattern: RegExp): number {
  const store = path.join(root.nixDir, 'store');
  const gone = readdirSync(store).filter((name) => pattern.test(name.slice(33)));
  for (const name of gone) rmSync(path.join(store, name), { recursive: true });
  return gone.length;
}

/** A file of the root's store, as a path of the host, by the end of its object's name. */
export function storeLibrary(root: Root, object: RegExp, file: string): string {
  const store = path.join(root.nixDir, 'store');
  const found = readdirSync(store).find((name) => object.test(name.slice(33)));
  if (found === undefined) throw new Error(`no object ${object} in the rig's store`);
  return path.join(store, found, file);
}

/** A program in the root's home, linked with these files. Returns its path in the root. */
export function programNeeding(
  root: Root,
  name: string,
  source: string,
  libraries: readonly string[],
): string {
  const inRoot = path.join(homeInRoot, name);
  compile(onHost(root, inRoot), source, [...libraries, '-Wl,--allow-shlib-undefined', '-Wl,--no-as-needed']);
  return inRoot;
}

/** A library to link with, of which the root has none: what another distribution calls it. */
export function stand(root: Root, soname: string, source: string): string {
  return compileLibrary(path.join(root.homeDir, '..', 'stubs', soname), soname, source);
}
