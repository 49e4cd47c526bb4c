// The transcript at the head of the README, typed again: what stands there is what comes out.
import assert from 'node:assert/strict';
import { copyFileSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { ensureRig } from '../../rig/rig.ts';
import { homeInRoot } from '../../rig/root.ts';
import { foreign, onHost } from '../foreign-files.ts';
import { openShell } from '../hooks/shell-session.ts';
import { openToolRoot } from '../tool.ts';
import { shellsAlone } from './shells.ts';

const rig = await ensureRig('small');
const root = await openToolRoot(rig, { binds: shellsAlone });
copyFileSync(foreign(rig, 'bookworm', 'curl').path, onHost(root, path.join(homeInRoot, 'curl')));

interface Step {
  readonly words: readonly string[];
  readonly shown: string;
}

function stepsOf(text: string): Step[] {
  const block = /^```console\n([\s\S]*?)^```$/m.exec(text)?.[1] ?? '';
  return block
    .split(/^\$ /m)
    .slice(1)
    .map((step) => {
      const [line = '', ...shown] = step.trimEnd().split('\n');
      return { words: line.replace(/ +#.*/, '').split(' '), shown: shown.join('\n') };
    });
}

/** Debian's versions go on, and Nix's hashes with them. */
const timeless = (text: string): string =>
  text.replace(/\/[0-9a-z]{32}-/g, '/HASH-').replace(/\d+(?:\.\d+)+(?:-\S*?)?(?=[\s,/]|$)/gm, 'VERSION');

/** A line that ends in ` ...` is the beginning of one. */
function assertShown(shown: string, output: string): void {
  const [lines, printed] = [shown, output].map((text) => timeless(text).split('\n'));
  for (const [at, line] of (lines ?? []).entries()) {
    const one = printed?.[at] ?? '';
    assert.equal(line.endsWith(' ...') ? `${one.slice(0, line.length - 4)} ...` : one, line);
  }
  if (!shown.endsWith(' ...')) assert.equal(printed?.length, lines?.length, output);
}

async function type([command = '', ...words]: readonly string[]): Promise<string> {
  const settings = { cwd: homeInRoot };
  if (command === 'nix-run-foreign' || command === 'nix-foreign') {
    const { stdout, stderr } = await root[command === 'nix-foreign' ? 'manage' : 'start'](words, settings);
    return (stdout + stderr).trimEnd();
  }
  const session = await openShell(root, 'bash', 'cd ~');
  try {
    return (await session.run([command, ...words].join(' '))).output;
  } finally {
    session.close();
  }
}

const steps = stepsOf(readFileSync(path.resolve(import.meta.dirname, '../../../README.md'), 'utf8'));

test('it begins with the failure, and has two starts and one question', () => {
  assert.deepEqual(
    steps.map(({ words: [command] }) => command),
    ['./curl', 'nix-run-foreign', 'nix-run-foreign', 'nix-foreign'],
  );
});

for (const { words, shown } of steps)
  test(words.join(' '), async () => assertShown(shown, await type(words)));
