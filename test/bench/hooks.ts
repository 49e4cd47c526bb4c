// What the shell hooks cost a native command: the time from Enter to the next prompt, with and without, in turn.
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { hookText, SHELLS, type Shell } from '../../src/integrations/hooks/hook-text.ts';
import { needTool } from '../launcher/tool-fixture.ts';
import { milliseconds } from './measure.ts';

/** A line may cost the shell this much more work, in microseconds. */
const LIMIT = 200;
const PROJECT = path.resolve(import.meta.dirname, '../..');

const prompts: Readonly<Record<Shell, string>> = {
  bash: `PS1='P>'\n`,
  zsh: `PS1='P>'\nunsetopt prompt_sp\n`,
  fish: `function fish_prompt; printf 'P>'; end\nset -g fish_greeting\n`,
};

const starts: Readonly<Record<Shell, (file: string, home: string) => readonly string[]>> = {
  bash: (file) => ['bash', '--noprofile', '--rcfile', file, '-i'],
  zsh: (_, home) => ['env', `ZDOTDIR=${home}`, 'zsh', '-d', '-i'],
  fish: (file) => ['fish', '--no-config', '-C', `source ${file}`, '-i'],
};

/** What is on this machine is native to it, so the hooks find nothing to do. */
function placesIn(directory: string) {
  const at = (name: string) => path.join(directory, name);
  return {
    launcher: path.join(PROJECT, 'bin/nix-run-foreign'),
    stubs: [],
    nixLd: '',
    shims: at('shims'),
    directories: at('directories'),
  };
}

function wordsFor(shell: Shell, kind: 'bare' | 'hooked', directory: string): readonly string[] {
  const home = path.join(directory, `${shell}-${kind}`);
  mkdirSync(home);
  const file = path.join(home, shell === 'zsh' ? '.zshrc' : 'rc');
  const hook = hookText(shell, placesIn(directory), path.join(PROJECT, 'shell-hooks'));
  writeFileSync(file, `${prompts[shell]}${kind === 'hooked' ? hook : ''}`);
  return ['env', `HOME=${home}`, ...starts[shell](file, home), ';'];
}

function timesOf(
  driver: string,
  rounds: number,
  line: string,
  words: readonly string[],
  bin: string,
): { whole: number; own: number }[] {
  const env = { PATH: `${bin}:/usr/bin:/bin`, TERM: 'screen', LC_ALL: 'C.UTF-8' };
  const output = execFileSync(driver, [String(rounds), line, ...words], { env, encoding: 'utf8' });
  return output
    .trim()
    .split('\n')
    .map((each) => {
      const [whole = Number.NaN, own = Number.NaN] = each.split(' ').map(Number);
      return { whole, own };
    });
}

/** Prints a table for each line; true where no hook costs more than the limit. */
export function benchHooks(rounds: number): boolean {
  for (const shell of SHELLS) needTool(shell, shell);
  const directory = mkdtempSync(path.join(tmpdir(), 'nix-run-foreign-prompts-'));
  try {
    const driver = path.join(directory, 'prompt-times');
    execFileSync('cc', [
      '-O2',
      '-Wall',
      '-Wextra',
      '-o',
      driver,
      path.join(import.meta.dirname, 'prompt-times.c'),
    ]);
    const native = path.join(directory, 'native');
    writeFileSync(`${native}.c`, '#include <stdio.h>\nint main(void) { return puts("@") < 0; }\n');
    execFileSync('cc', ['-static', '-O1', '-o', native, `${native}.c`]);
    chmodSync(native, 0o755);
    const words = SHELLS.map((shell) =>
      (['bare', 'hooked'] as const).flatMap((kind) => wordsFor(shell, kind, directory)),
    );
    let isWithin = true;
    for (const line of ['native --of -this', 'native "$HOME" | native > /dev/null; native']) {
      process.stdout.write(`\na native command, from Enter to the prompt: ${line}\n`);
      for (const [i, shell] of SHELLS.entries()) {
        const [bare, hooked] = timesOf(driver, rounds, line, words[i] ?? [], directory);
        if (bare === undefined || hooked === undefined) throw new Error(`no times for ${shell}`);
        const more = hooked.own - bare.own;
        isWithin &&= more < LIMIT;
        const verdict = more < LIMIT ? '' : `  MORE THAN ${milliseconds(LIMIT)}`;
        const [before, now] = [milliseconds(bare.whole), milliseconds(hooked.whole)];
        process.stdout.write(
          `  ${shell.padEnd(5)} ${before}, with the hook ${now}; the shell itself works ${milliseconds(more)} more${verdict}\n`,
        );
      }
    }
    return isWithin;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
