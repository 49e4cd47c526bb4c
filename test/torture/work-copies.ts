// What a command left at home and in /tmp → a copy for each moment, made by the shell that goes on, and what it lacks.
import { existsSync } from 'node:fs';
import path from 'node:path';
import { temporaryDirectories } from '../../src/host/directories.ts';
import { homeInRoot } from '../rig/root.ts';
import type { ToolRoot } from '../scenarios/tool.ts';
import { whyOtherSet } from './kept-sets.ts';
import { hasEffect, type Left, whyUndone } from './work-effects.ts';
import { documentOf, NOTHING_OPENED, OPENER, startedBy } from './works.ts';

/** Our place below /tmp: what a work turns to that cannot write at home. */
export const PLACE = path.dirname(temporaryDirectories(0).cache);

export function tmpOf(root: ToolRoot): string {
  return path.join(root.homeDir, '../tmp');
}

/** Where copies are: in a root, and in the directory of its states. */
export const COPIES = { inRoot: '/opt/copies', inStates: 'copies' };

/** After the work that was interrupted, and after the same again. */
type Moment = 'interrupted' | 'again';

/** Words of a shell, which has no cp(1) there; commands only have effects. */
export function copying(root: ToolRoot, name: string, moment: Moment): string {
  if (!hasEffect(name)) return '';
  const copies = JSON.stringify([
    [homeInRoot, path.join(COPIES.inRoot, moment, 'home')],
    [PLACE, path.join(COPIES.inRoot, moment, 'place')],
  ]);
  return `${root.rig.node} -e 'for (const [from, to] of ${copies})
  if (fs.existsSync(from)) fs.cpSync(from, to, { recursive: true, verbatimSymlinks: true })'\n`;
}

/** A program as it was before any work. */
export function originalOf(states: string, program: string): string {
  return path.join(states, 'tools', path.basename(program));
}

function leftIn(states: string, name: string, [home, place]: readonly [string, string]): Left {
  const started = startedBy(name);
  const { program } = started;
  const documentIn = (file: string): string => path.join(states, 'tools', path.basename(file));
  return {
    ...{ home, place, program, original: originalOf(states, program), storeDir: '/nix/store' },
    document: documentIn(documentOf(started)),
    ...(started === OPENER ? { before: documentIn(NOTHING_OPENED) } : {}),
  };
}

function leftNow(root: ToolRoot, states: string, name: string): Left {
  return leftIn(states, name, [root.homeDir, path.join(tmpOf(root), path.basename(PLACE))]);
}

/** As the work left it, with nothing done after it. */
export function whyUndoneNow(root: ToolRoot, states: string, name: string): string | undefined {
  return whyUndone(name, leftNow(root, states, name));
}

/** After all: no start may keep another set than an undisturbed one. */
export function whyOtherSetNow(root: ToolRoot, states: string, name: string): string | undefined {
  return whyOtherSet(leftNow(root, states, name), path.join(root.nixDir, 'store'));
}

/** Undefined also where the shell did not come so far. */
export function whyUndoneAt(states: string, name: string, moment: Moment): string | undefined {
  const copy = path.join(states, COPIES.inStates, moment);
  if (!existsSync(path.join(copy, 'home'))) return undefined;
  try {
    return whyUndone(name, leftIn(states, name, [path.join(copy, 'home'), path.join(copy, 'place')]));
  } catch (error) {
    return `what it left is not whole: ${String(error)}`;
  }
}
