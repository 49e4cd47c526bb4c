// A load trace and what each object's functions say → what the program prints, by the loader's rules for symbols.
import { realpathSync } from 'node:fs';
import { binds, symbolReader } from '../../src/candidates/candidate-symbols.ts';
import type { DynamicSymbol } from '../../src/elf/symbols.ts';
import type { LoadTrace, TracedObject } from '../../src/ldso/simulation/trace.ts';
import type { CompiledTree } from './compiled-tree.ts';

export interface Words {
  readonly status: number;
  readonly stdout: string;
}

/** A call of what nobody in scope defines ends the process: 127, "symbol lookup error" (glibc elf/dl-error.c). */
const unbound = 127;

/** It would serve the call, but glibc up to 2.40 ends by an assertion there, as the trace warned (check_match). */
function aborts(
  trace: LoadTrace,
  { version, from }: DynamicSymbol,
  by: string,
  server: TracedObject,
): boolean {
  const names = [server.elf?.soname, ...server.requests.map(({ name }) => name)];
  const warned = trace.warnings.some(
    ({ kind, about, neededBy }) =>
      kind === 'unversioned provider' && about === server.path && neededBy === by,
  );
  return version !== undefined && warned && names.includes(from);
}

/** The first object in load order whose definition binds is called, whoever was linked with which (elf/dl-lookup.c). */
export function expectedWords({ program, speakers }: CompiledTree, trace: LoadTrace): Words {
  if (trace.status !== 0) return { status: trace.status, stdout: '' };
  const symbolsOf = symbolReader();
  let stdout = '';
  const call = (by: string, symbol: string): boolean => {
    const reference = symbolsOf(by).wanted.find(({ name }) => name === symbol);
    if (reference === undefined) return false;
    const server = trace.objects.find(
      ({ path = '' }) => path !== '' && binds(reference, symbolsOf(path).defined.get(symbol)),
    );
    if (server?.path === undefined || aborts(trace, reference, by, server)) return false;
    return speak(server.path, symbol);
  };
  const speak = (path: string, symbol: string): boolean => {
    const speaker = speakers.get(realpathSync(path));
    if (speaker === undefined) return false;
    stdout += `${speaker.word} `;
    return symbol !== speaker.main || speaker.calls.every((each) => call(path, each));
  };
  const ended = speak(program, '');
  return { status: ended ? 0 : unbound, stdout };
}
