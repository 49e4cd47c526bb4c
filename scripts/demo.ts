// A small real store and a root without /lib64 → one foreign program: bare, first start, second start, explained.
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ensureRig } from '../test/rig/rig.ts';
import { type Outcome, openRoot, type Root } from '../test/rig/root.ts';
import { buildLauncher } from './build-launcher.ts';

const PROJECT = path.resolve(import.meta.dirname, '..');

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Runs a command in the root and shows it as a terminal would; `most` lines of its output. */
async function show(root: Root, words: readonly [string, ...string[]], most: number): Promise<Outcome> {
  say(`\n$ ${words.join(' ')}`);
  const started = performance.now();
  const outcome = await root.run({ argv: words });
  const took = performance.now() - started;
  const lines = (outcome.stdout + outcome.stderr).trimEnd().split('\n');
  for (const line of lines.slice(0, most)) say(line.length > 150 ? `${line.slice(0, 147)}...` : line);
  if (lines.length > most) say(`... (${lines.length - most} lines more)`);
  say(`[status ${outcome.status}, ${took.toFixed(0)} ms]`);
  return outcome;
}

/** The tool as a Nix package would hold it: the launcher knows a Node of the store. */
async function installTool(directory: string, node: string): Promise<void> {
  cpSync(path.join(PROJECT, 'dist'), path.join(directory, 'dist'), { recursive: true });
  mkdirSync(path.join(directory, 'bin'));
  await buildLauncher({
    output: path.join(directory, 'bin/nix-run-foreign'),
    node,
    script: '/opt/dist/nix-foreign.cjs',
  });
}

const rig = await ensureRig('small');
const foreign = rig.foreign[0];
if (foreign === undefined) throw new Error('the small rig has no foreign program');
const directory = mkdtempSync(path.join(tmpdir(), 'nix-run-foreign-demo-'));
try {
  const tool = path.join(directory, 'tool');
  mkdirSync(tool);
  await installTool(tool, rig.node);
  const vendor = path.join(directory, 'vendor');
  mkdirSync(vendor);
  copyFileSync(foreign.path, path.join(vendor, foreign.name));
  const root = await openRoot(rig, {
    binds: [
      { from: tool, to: '/opt', mode: 'read-only' },
      { from: vendor, to: '/vendor', mode: 'read-only' },
    ],
  });
  try {
    const program = `/vendor/${foreign.name}`;
    say(`${foreign.name} ${foreign.version} of Debian ${foreign.suite}, in a root with only /nix:`);
    const bare = await show(root, [program, ...foreign.args], 3);
    const cold = await show(root, ['/opt/bin/nix-run-foreign', program, ...foreign.args], 3);
    const warm = await show(root, ['/opt/bin/nix-run-foreign', program, ...foreign.args], 3);
    await show(root, ['/opt/bin/nix-run-foreign', '--explain', program], 24);
    const proven =
      bare.status === 127 && cold.status === 0 && warm.status === 0 && cold.stdout === warm.stdout;
    if (!proven) throw new Error('the demonstration did not go as it should');
  } finally {
    await root.close();
  }
} finally {
  rmSync(directory, { recursive: true, force: true });
}
