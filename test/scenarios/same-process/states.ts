// What a process can be started in, and what a program reports of it, made comparable from one start to another.

import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { type Edits, processStates } from '../../launcher/process-states.ts';
import { homeInRoot } from '../../rig/root.ts';
import { compile } from '../compile.ts';
import { onHost } from '../foreign-files.ts';
import type { ToolRoot } from '../tool.ts';

const sources = path.resolve(import.meta.dirname, '../../launcher/programs');
export const place = path.join(homeInRoot, 'same');
export const [startWith, still, report, output, gone] = [
  'start-with',
  'static',
  'report',
  'output',
  'gone',
].map((name) => path.join(place, name)) as [string, string, string, string, string];

export const states = processStates(gone, 64);

export function furnish(root: ToolRoot): void {
  const source = (name: string) => readFileSync(path.join(sources, `${name}.c`), 'utf8');
  compile(onHost(root, startWith), source('start-with'), ['-w', '-static']);
  compile(onHost(root, still), source('report-state'), ['-w', '-static']);
  compile(onHost(root, report), source('report-state'), ['-w']);
  copyFileSync(onHost(root, report), onHost(root, path.join(place, 'multi-call')));
}

/** The report without what must differ: process ids, the programs' paths, the documented variables of nix-ld. */
function comparable(text: string, program: string): string {
  const own = /^pid (\d+)$/m.exec(text)?.[1] ?? '?';
  return text
    .replaceAll(new RegExp(`^(pid|pgid) ${own}$`, 'gm'), '$1 OWN')
    .replaceAll(/^(ppid|pgid|sid) \d+$/gm, '$1 OTHER')
    .replaceAll(/^(execfn|exe) .*\n/gm, '')
    .replaceAll(/^env \d+ NIX_LD\w*=.*\n/gm, '')
    .replaceAll(/^env \d+ /gm, 'env ')
    .replaceAll(/(pipe|socket):\[\d+\]/g, '$1')
    .replaceAll(program, 'PROGRAM');
}

/** Starts `words` and a reporting program in a state; what it reports. It must end with 23 and print nothing. */
export async function reportOf(
  root: ToolRoot,
  edits: Edits,
  words: readonly string[],
  program: string,
  env: Readonly<Record<string, string | undefined>> = {},
): Promise<string> {
  rmSync(onHost(root, gone), { recursive: true, force: true });
  mkdirSync(onHost(root, gone));
  rmSync(onHost(root, output), { force: true });
  const outcome = await root.run({
    argv: [startWith, ...edits.map(String), '--', ...words, program, output, '23', 'a b', '', '--x'],
    env,
  });
  assert.deepEqual([outcome.status, outcome.stdout, outcome.stderr], [23, '', '']);
  return comparable(readFileSync(onHost(root, output), 'utf8'), program);
}
