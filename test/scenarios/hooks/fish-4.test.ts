// The hook in fish 4, whose patterns, key names and history are not those of fish 3.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ensureRig } from '../../rig/rig.ts';
import { openToolRoot } from '../tool.ts';
import { checkAnswers, checkLists, checkLoading } from './fish-checks.ts';
import { fishFunctions, fishShapes, fishVariables, furtherFishShapes } from './fish-shapes.ts';
import { fish4Binds, furnishHome, hookLine, openFish4, type ShellSession } from './shell-session.ts';

const rig = await ensureRig('full');
const root = await openToolRoot(rig, { binds: await fish4Binds() });
furnishHome(root);
await root.start(['./tool']);

let bare: ShellSession;
let hooked: ShellSession;

before(async () => {
  bare = await openFish4(root, fishFunctions);
  hooked = await openFish4(root, `${fishFunctions}\n${hookLine.fish}`);
});
after(() => {
  bare?.close();
  hooked?.close();
});

test('every line that works in fish 3 works in fish 4', async () => {
  assert.match((await bare.run('echo $version')).output, /^4\.\d+\.\d+$/);
  for (const { line, output, status = 0 } of [...fishShapes, ...furtherFishShapes]) {
    assert.doesNotMatch((await bare.run(line)).output, output, `this works without the hook: ${line}`);
    const answer = await hooked.run(line);
    assert.match(answer.output, output, line);
    assert.equal(answer.status, status, line);
  }
});

test('so does every variable', async () => {
  const shell = await openFish4(root, hookLine.fish);
  for (const { line, output, status = 0 } of fishVariables) {
    const answer = await shell.run(line);
    assert.match(answer.output, output, line);
    assert.equal(answer.status, status, line);
  }
  shell.close();
});

/** What fish says when it is as it must be, or after ten seconds: it takes in its history's file by the second. */
async function once(isRight: (said: string) => boolean, ask: () => Promise<string>): Promise<string> {
  let said = await ask();
  for (const end = Date.now() + 10_000; !isRight(said) && Date.now() < end; ) {
    await sleep(200);
    said = await ask();
  }
  return said;
}

test('history holds what was typed, in this shell and in the next', async () => {
  const shell = await openFish4(root, hookLine.fish);
  try {
    const lines = ['./tool exit 4', "./tool 'a\\\\b' | cat", 'for i in 1\n./tool $i\nend'];
    for (const line of lines) await shell.run(line);
    const { output } = await shell.run('history --reverse | cat');
    assert.ok(output.endsWith(lines.join('\n')), output);
    assert.doesNotMatch(output, /nix-run-foreign/);
    shell.type('exit');
    shell.press('Enter');
    await shell.until(/\[status 0\]/);
    const all = await once(
      (said) => /^\.\/tool exit 4$/m.test(said),
      async () => {
        const next = await openFish4(root, '');
        const said = await next.run('history | cat');
        next.close();
        return said.output;
      },
    );
    assert.match(all, /^\.\/tool exit 4$/m);
    assert.doesNotMatch(all, /nix-run-foreign|^ \S/m);
  } finally {
    shell.close();
  }
});

test('a line that runs does not begin with a space, and one that was typed with the launcher stays', async () => {
  const note = 'function note --on-event fish_preexec; set -g noted $argv; end';
  const shell = await openFish4(root, `${note}\n${hookLine.fish}`);
  const changed = '/opt/tool/bin/nix-run-foreign -- ./tool exit';
  try {
    // As atuin is told of it, which passes over what begins with a space.
    assert.equal((await shell.run('./tool exit 5; echo $noted')).output, `${changed} 5; echo $noted`);
    for (const line of [`${changed} 6`, './tool exit 6']) await shell.run(line);
    const { output } = await shell.run('history --reverse | cat');
    assert.match(output, new RegExp(`^${changed} 6\\n\\./tool exit 6$`, 'm'));
    assert.doesNotMatch(output, /nix-run-foreign.*exit 5|^ /m);
  } finally {
    shell.close();
  }
});

test('answers to `read`, Enter while a list is shown, and functions that are loaded again', async () => {
  const shell = await openFish4(root, hookLine.fish);
  try {
    await checkAnswers(shell);
    await checkLists(shell);
    await checkLoading(shell);
  } finally {
    shell.close();
  }
});

test('it is undone, and Enter does what it did', async () => {
  const shell = await openFish4(
    root,
    `bind enter "commandline -i ' earlier'; commandline -f execute"\n${hookLine.fish}\n${hookLine.fish}`,
  );
  try {
    assert.equal((await shell.run('./tool')).output, '<./tool>[earlier]');
    assert.equal((await shell.run('nix-foreign hook --off | source #')).output, '');
    assert.equal((await shell.run('./tool')).status, 127);
    assert.equal((await shell.run('set --names | string match "__nix_f*" #')).output, '');
    assert.match((await shell.run('bind --user #')).output, /^bind enter [^_]*$/);
  } finally {
    shell.close();
  }
});
