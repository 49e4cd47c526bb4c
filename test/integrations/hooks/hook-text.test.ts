// Places with unusual names → texts that shells read back as they were.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import path from 'node:path';
import { test } from 'node:test';
import { hookText, isShell, offText, SHELLS } from '../../../src/integrations/hooks/hook-text.ts';
import { needTool } from '../../launcher/tool-fixture.ts';

const directory = path.resolve(import.meta.dirname, '../../../shell-hooks');
const places = {
  launcher: "/opt/it's here\\'/@stubs@/$HOME/`id`/run",
  stubs: ['/lib64/ld-linux-x86-64.so.2', '/lib/ld-linux.so.2'],
  nixLd: 'NIX_LD_x86_64_linux',
  shims: '/home/a b/shims',
  directories: '/home/a b/directories',
};

const started = {
  bash: ['bash', '--norc', '-c'],
  zsh: ['zsh', '-f', '-c'],
  fish: ['fish', '--no-config', '-c'],
} as const;

for (const shell of SHELLS) {
  needTool(shell, shell);

  test(`${shell}: what is filled in arrives as it is, and no name is left to be filled in`, () => {
    const text = hookText(shell, places, directory);
    const [command, ...options] = started[shell];
    const script = `${text}\nprintf '%s\\n' "$__nix_foreign_launcher" "$NIX_LD_x86_64_linux" "$__nix_foreign_shims" "$__nix_foreign_directories"`;
    const output = execFileSync(command, [...options, script], { encoding: 'utf8' });
    assert.deepEqual(output.trim().split('\n'), [
      places.launcher,
      places.launcher,
      places.shims,
      places.directories,
    ]);
    assert.doesNotMatch(
      text.replaceAll('/@stubs@/', ''),
      /@(launcher|stubs|nix-ld|shims|directories|wrapped)@/,
    );
  });

  test(`${shell}: the undoing puts back what nix-ld was told before, or nothing`, () => {
    const text = hookText(shell, places, directory);
    const [command, ...options] = started[shell];
    const script = `${text}\n${text}\n${offText(shell, directory)}\nenv | grep NIX_LD; true`;
    const after = (env: Record<string, string>) =>
      execFileSync(command, [...options, script], {
        env: { PATH: process.env['PATH'], ...env },
        encoding: 'utf8',
      });
    assert.equal(after({}), '');
    for (const value of ['/opt/of the session/*', ''])
      assert.equal(after({ NIX_LD_x86_64_linux: value }), `NIX_LD_x86_64_linux=${value}\n`);
  });

  for (const above of SHELLS)
    test(`${shell} below a ${above} with the hook: the undoing puts back what the session had`, () => {
      const inner = `${hookText(shell, places, directory)}\n${offText(shell, directory)}\nenv | grep ^NIX_LD; true`;
      const [command, ...options] = started[above];
      const script = `${hookText(above, places, directory)}\n${started[shell].join(' ')} "$INNER"`;
      const after = (env: Record<string, string>) =>
        execFileSync(command, [...options, script], {
          env: { PATH: process.env['PATH'], INNER: inner, ...env },
          encoding: 'utf8',
        });
      assert.equal(after({}), '');
      const value = '/opt/of the session/*';
      assert.equal(after({ NIX_LD_x86_64_linux: value }), `NIX_LD_x86_64_linux=${value}\n`);
    });

  test(`${shell}: the undoing is silent where there is no hook`, () => {
    const [command, ...options] = started[shell];
    const { stdout, stderr, status } = spawnSync(command, [...options, offText(shell, directory)], {
      encoding: 'utf8',
    });
    assert.deepEqual([stdout, stderr, status], ['', '', 0]);
  });
}

test('names of shells', () => {
  assert.ok(isShell('fish'));
  assert.ok(!isShell('tcsh') && !isShell(undefined));
});
