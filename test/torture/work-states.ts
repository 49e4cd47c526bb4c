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
  utimesSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { onHost } from '../scenarios/foreign-files.ts';
import type { ToolRoot } from '../scenarios/tool.ts';
import { AS_IT_IS, openStoreStates } from './store-states.ts';
import { COPIES, originalOf, tmpOf } from './work-copies.ts';
import {
  documentOf,
  JQ,
  NOTHING_OPENED,
  OPENER,
  PATCHES,
  type Started,
  type Store,
  WORKS,
  type Work,
} from './works.ts';

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
  if (state === 'plan' || state === 'changed') await root.start([JQ.program, ...JQ.args]);
  if (state === 'changed') appendFileSync(onHost(root, JQ.program), ' ');
  if (state === 'nothing opened') await root.start([OPENER.program]);
}

async function startRightly(root: ToolRoot, words: readonly string[]): Promise<void> {
  const { stdout, stderr } = await root.start(words, { timeoutMs: 300_000 });
  if (stdout !== '42\n') throw new Error(`${words.join(' ')} does not start: ${stderr}`);
}

/** That of its last start. */
async function writeDocument(root: ToolRoot, { program }: Started, file: string): Promise<void> {
  const { stdout } = await root.manage(['fingerprint', 'export', '-o', '-', program]);
  writeFileSync(file, stdout);
}

/** Of times a copy keeps the milliseconds only, and a patch says what they were. */
function putPrograms(root: ToolRoot, directory: string): void {
  for (const { program } of [JQ, OPENER]) {
    copyFileSync(originalOf(directory, program), onHost(root, program));
    utimesSync(onHost(root, program), 1, 1);
  }
}

/** What an undisturbed patch makes of the program. */
export function patchedAs(directory: string, name: string): string {
  return path.join(directory, `${name}.program`);
}

/** Of the programs in `tools` of the directory, which get there the documents that undisturbed starts make. */
export async function takeStates(root: ToolRoot, directory: string, held: Store): Promise<WorkStates> {
  putPrograms(root, directory);
  const inTools = (file: string): string => path.join(directory, 'tools', path.basename(file));
  const store = openStoreStates(root.nixDir, path.join(directory, 'nix'));
  const save = (name: string): void => {
    cpSync(root.homeDir, path.join(directory, name), AS_IT_IS);
    store.save(name);
  };
  save('nothing');
  await startRightly(root, [JQ.program, ...JQ.args]);
  save('plan');
  await writeDocument(root, JQ, inTools(documentOf(JQ)));
  await root.manage(['forget', JQ.program]);
  store.putBack('nothing'); // so that adding and registering is a part of each work
  save('catalogue');
  if (held === 'whole') {
    await startRightly(root, [OPENER.program]);
    save('nothing opened');
    await writeDocument(root, OPENER, inTools(NOTHING_OPENED));
    await startRightly(root, [OPENER.program, ...OPENER.args]);
    await writeDocument(root, OPENER, inTools(documentOf(OPENER)));
  }
  for (const name of PATCHES) {
    putHomeBack(root, path.join(directory, 'catalogue'));
    store.putBack('catalogue');
    const { status, stderr } = await root.manage(WORKS[name]?.words ?? []);
    if (status !== 0) throw new Error(stderr);
    copyFileSync(onHost(root, JQ.program), patchedAs(directory, name));
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
