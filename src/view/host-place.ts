// A path of the usual layout of Linux → where it lies on this machine, and whether anything but a stand-in is there.
import { lstatSync, readdirSync, readlinkSync } from 'node:fs';
import path from 'node:path';

export interface HostPlace {
  /** Without links on its way; the rest of it may not exist. */
  readonly target: string;
  /** `stand-in`: a directory that holds only what every NixOS has there: `sh`, `env`, an interpreter. */
  readonly state: 'missing' | 'stand-in' | 'there';
  /** What a stand-in holds. */
  readonly names: readonly string[];
}

const MOST_LINKS = 40;
const STAND_INS =
  /^(?:sh|bash|env|ld-linux[\w.-]*|ld-musl-[\w.-]*|ld-lsb[\w.-]*|ld64\.so[\w.]*|ld\.so\.1|\.keep)$/;

/** The path with every link on its way followed, as far as it exists; undefined where links lead around for ever. */
export function withoutLinks(file: string, links = 0): string | undefined {
  const names = file.split('/').filter((name) => name !== '');
  for (const [index, name] of names.entries()) {
    const at = `/${[...names.slice(0, index), name].join('/')}`;
    const stats = lstatSync(at, { throwIfNoEntry: false });
    if (!stats?.isSymbolicLink()) continue;
    if (links === MOST_LINKS) return undefined;
    const further = path.resolve(path.dirname(at), readlinkSync(at), ...names.slice(index + 1));
    return withoutLinks(further, links + 1);
  }
  return path.resolve('/', ...names);
}

function stateOf(target: string): Omit<HostPlace, 'target'> {
  const stats = lstatSync(target, { throwIfNoEntry: false });
  if (stats === undefined) return { state: 'missing', names: [] };
  if (!stats.isDirectory()) return { state: 'there', names: [] };
  const names = readdirSync(target);
  return names.every((name) => STAND_INS.test(name))
    ? { state: 'stand-in', names }
    : { state: 'there', names: [] };
}

/** Undefined for what cannot be looked at, and where a blank is on the way: a plan cannot name it. */
export function hostPlace(wanted: string): HostPlace | undefined {
  try {
    const target = withoutLinks(wanted);
    if (target === undefined || /\s/.test(target)) return undefined;
    return { target, ...stateOf(target) };
  } catch {
    return undefined;
  }
}
