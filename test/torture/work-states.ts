// A root with the tool → the states in which works begin, home and store, taken once and put back before each.
import {
  appendFileSync,
  copyFileSync,
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { onHost } from '../scenarios/foreign-files.ts';
import type { ToolRoot } from '../scenarios/tool.ts';
import { AS_IT_IS, openStoreStates } from './store-states.ts';
import { COPIES, tmpOf } from './work-copies.ts';
import { FINGERPRINT, PATCHES, PROGRAM, SUM, WORKS, type Work } from './works.ts';

export interface WorkStates {
  /** While nothing runs in the root. */
  begin(from: Work['from']): Promise<void>;
}

/** A program as it was keeps its inode, by which plans name it. */
function putHomeBack(root: ToolRoot, state: string): void {
  const isAsItWas = (name: string): boolean => {
    const [is, was] = [root.homeDir, state].map((home) => path.join(home, name)) as [string, string];
    return existsSync(is) && statSync(is).isFile() && readFileSync(is).equals(readFileSync(was));
  };
  const kept = readdirSync(state).filter(isAsItWas);
  for (const name of readdirSync(root.homeDir))
    if (!kept.includes(name)) rmSync(path.join(root.homeDir, name), { recursive: true });
  for (const name of readdirSync(state))
    if (!kept.includes(name)) cpSync(path.join(state, name), path.join(root.homeDir, name), AS_IT_IS);
}

/** Of the program as it is now. */
async function makePlan(root: ToolRoot, state: Work['from']): Promise<void> {
  if (state !== 'plan' && state !== 'changed') return;
  await root.start([PROGRAM, ...SUM]);
  if (state === 'changed') appendFileSync(onHost(root, PROGRAM), ' ');
}

/** What an undisturbed patch makes of the program. */
export function patchedAs(directory: string, name: string): string {
  return path.join(directory, `${name}.program`);
}

/** Also writes the document that works read, into `tools` of the directory. */
export async function takeStates(root: ToolRoot, directory: string): Promise<WorkStates> {
  const store = openStoreStates(root.nixDir, path.join(directory, 'nix'));
  const save = (name: string): void => {
    cpSync(root.homeDir, path.join(directory, name), AS_IT_IS);
    store.save(name);
  };
  save('nothing');
  const started = await root.start([PROGRAM, ...SUM], { timeoutMs: 300_000 });
  if (started.stdout !== '42\n') throw new Error(`the program does not start: ${started.stderr}`);
  save('plan');
  const { stdout } = await root.manage(['fingerprint', 'export', '-o', '-', PROGRAM]);
  writeFileSync(path.join(directory, 'tools', path.basename(FINGERPRINT)), stdout);
  await root.manage(['forget', PROGRAM]);
  store.putBack('nothing'); // so that adding and registering is a part of each work
  save('catalogue');
  for (const name of PATCHES) {
    putHomeBack(root, path.join(directory, 'catalogue'));
    store.putBack('catalogue');
    const { status, stderr } = await root.manage(WORKS[name]?.words ?? []);
    if (status !== 0) throw new Error(stderr);
    copyFileSync(onHost(root, PROGRAM), patchedAs(directory, name));
  }
  save('patched');
  return {
    begin: async (from) => {
      for (const emptied of [tmpOf(root), path.join(directory, COPIES.inStates)])
        for (const entry of readdirSync(emptied))
          rmSync(path.join(emptied, entry), { recursive: true, force: true });
      const state = from === 'changed' ? 'plan' : from;
      putHomeBack(root, path.join(directory, state));
      store.putBack(state);
      await makePlan(root, from);
    },
  };
}
