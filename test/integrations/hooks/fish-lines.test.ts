// Lines typed into fish → the lines that run instead, where `./tool` and `named` are foreign.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { before, test } from 'node:test';
import { hookText } from '../../../src/integrations/hooks/hook-text.ts';
import { needTool } from '../../launcher/tool-fixture.ts';
import { scratchDirectory } from '../../store/compiled-library.ts';

needTool('fish', 'fish');
const scratch = scratchDirectory();
const at = (name: string) => path.join(scratch, name);
const launcher = at('launcher/nix-run-foreign');
const places = { launcher, stubs: [], nixLd: '', shims: at('shims'), directories: at('directories') };
const hook = hookText('fish', places, path.resolve(import.meta.dirname, '../../../shell-hooks'));

before(() => {
  for (const name of ['bin', 'launcher', 'shims', 'vendor', 'deeper']) mkdirSync(at(name));
  for (const name of ['tool', 'bin/named', 'vendor/unlisted', 'deeper/below'])
    writeFileSync(at(name), '#!/nowhere/interpreter -x\n', { mode: 0o755 });
  for (const name of ['launcher/nix-run-foreign', 'shims/shimmed'])
    writeFileSync(at(name), '#!/bin/sh\n', { mode: 0o755 });
  writeFileSync(at('directories'), `${at('vendor')}\n`);
});

/** What the hook makes of a line; the launcher is `L` in it. */
function changed(line: string, searchPath = `${at('bin')}:/usr/bin:/bin`): string {
  const script = `${hook}
__nix_foreign_forget
set -g __nix_foreign_bases
__nix_foreign_change_commands (string join \\e -- $LINE) | string replace -a \\e \\n
true`;
  const env = { PATH: searchPath, HOME: scratch, LINE: line, LC_ALL: 'C.UTF-8' };
  const lines = `set LINE (string split \\n -- $LINE)\n${script}`;
  const output = execFileSync('/usr/bin/fish', ['--no-config', '-c', lines], {
    cwd: scratch,
    env,
    encoding: 'utf8',
  });
  return output.replace(/\n$/, '').replaceAll(`${launcher} --`, 'L').replaceAll(scratch, '~');
}

for (const [line, expected] of [
  ['ls -l ./tool', 'ls -l ./tool'],
  ['./tool  "a  b" \\', 'L ./tool  "a  b" \\'],
  ["echo './tool; ./tool'; ./tool", "echo './tool; ./tool'; L ./tool"],
  ['echo "(./tool) $(named "x y") ./tool"', 'echo "(./tool) $(L named "x y") ./tool"'],
  ['A=1 B="$(./tool)" named | ./tool &', 'A=1 B="$(L ./tool)" L named | L ./tool &'],
  ['if not ./tool; named; else if ./tool; end', 'if not L ./tool; L named; else if L ./tool; end'],
  ['for x in ./tool named; command $x; end', 'for x in ./tool named; command $x; end'],
  ['while ./tool\n  named\nend', 'while L ./tool\n  L named\nend'],
  ['echo a\\;./tool ; ./tool', 'echo a\\;./tool ; L ./tool'],
  ['./to"ol" (echo ./tool)', 'L ./to"ol" (echo ./tool)'],
  ['cd deeper && ./below', 'cd deeper && L ./below'],
  ['set x ./tool', 'set x ./tool'],
  ['unlisted a | shimmed', 'L ~/vendor/unlisted a | ~/shims/shimmed'],
  ['nothing; named', 'nothing; L named'],
  ['echo ünïcode; ./tool ünïcode', 'echo ünïcode; L ./tool ünïcode'],
  [
    'A=(./tool)b$(./tool)"$(named)"c named x (./tool) named',
    'A=(L ./tool)b$(L ./tool)"$(L named)"c L named x (L ./tool) named',
  ],
  ['./tool "unfinished', 'L ./tool "unfinished'],
  ['>out FOO="a (b" named 2>&1; named', '>out FOO="a (b" L named 2>&1; L named'],
  ["# don't; named\nnamed # (named", "# don't; named\nL named # (named"],
  ['named; function x; named; end; named', 'L named; function x; named; end; named'],
  ['echo "a $(echo "$(named (named))") b"', 'echo "a $(echo "$(L named (L named))") b"'],
] as const) {
  test(line, () => assert.equal(changed(line), expected));
}

/** What fish says of a function: whether the hook takes it for fish's own. */
function isFishsOwn(name: string, file: string, before = ''): boolean {
  mkdirSync(path.dirname(at(file)), { recursive: true });
  writeFileSync(at(file), `function ${name}; end\n`);
  const script = `${hook}\n${before}\n__nix_foreign_is_fishs_own ${name}; and echo own; true`;
  const output = execFileSync('/usr/bin/fish', ['--no-config', '-c', script], {
    cwd: scratch,
    encoding: 'utf8',
  });
  return output === 'own\n';
}

test("fish's own functions are known by their file: of the package, of the data directory, or in fish itself", () => {
  assert.ok(!isFishsOwn('mine', 'mine.fish', 'source mine.fish'));
  // As fish 4.1 and newer name what is in the program itself: a name, not a path.
  const embedded = 'embedded:functions/mine.fish';
  assert.ok(isFishsOwn('mine', embedded, `source ${embedded}`));
  const elsewhere = 'set -g __fish_data_dir /elsewhere';
  assert.ok(isFishsOwn('ls', 'unused', elsewhere));
  assert.ok(
    isFishsOwn(
      'mine',
      'data/functions/mine.fish',
      `set -g __fish_data_dir ${at('data')}; source ${at('data/functions/mine.fish')}`,
    ),
  );
});

test('a launcher that is on PATH is called by its name', () => {
  assert.equal(changed('./tool', `${at('launcher')}:/usr/bin`), 'nix-run-foreign -- ./tool');
});
