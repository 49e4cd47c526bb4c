// An expression of Nix → its value, by the real nix-instantiate with a store of its own.
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { needTool } from '../launcher/tool-fixture.ts';
import { scratchDirectory } from '../store/compiled-library.ts';
import { openPrivateStore } from '../store/private-store.ts';

needTool('nix-instantiate', 'nix-bin');

export const PROJECT = path.resolve(import.meta.dirname, '../..');
/** The store, and the commands told about it. */
export const { nix } = openPrivateStore(path.join(scratchDirectory(), 'nix'));

export type ModuleKind = 'nixos' | 'home-manager' | 'home-manager-24';

/** An option as `evaluate.nix` describes it. */
export interface Option {
  readonly type: string;
  readonly default: unknown;
  readonly described: boolean;
  readonly inner: Readonly<Record<string, Option>>;
}

export interface Evaluated {
  readonly options: Readonly<Record<string, Option>>;
  /** The whole system's. */
  readonly config: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** The words after `nix-instantiate` that give a module and what a user says of it. */
export function moduleWords(kind: ModuleKind, said: string, system = 'x86_64-linux'): string[] {
  const file = path.join(PROJECT, 'test/nix/evaluate.nix');
  const given = ['--argstr', 'kind', kind, '--arg', 'said', said, '--argstr', 'system', system];
  return ['--eval', '--strict', '--json', file, ...given];
}

/** @throws Error with what Nix says. */
export function instantiate(words: readonly string[]): unknown {
  const text = execFileSync('nix-instantiate', ['--read-write-mode', ...words], {
    env: nix.env,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return JSON.parse(text);
}

/** `more`: arguments of evaluate.nix. `said` is what stands in `{ programs.nix-run-foreign = { ... }; }`. */
export function evaluateModule(
  kind: ModuleKind,
  said: string,
  system?: string,
  more: readonly string[] = [],
): Evaluated {
  const whole = `{ programs.nix-run-foreign = { enable = true; ${said} }; }`;
  return instantiate([...moduleWords(kind, whole, system), ...more]) as Evaluated;
}
