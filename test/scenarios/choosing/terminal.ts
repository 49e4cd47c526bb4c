// A command → a real terminal (tmux) in which it runs, with keys to press and a screen to read.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CommandLine, Root } from '../../rig/root.ts';

export interface Terminal {
  /** Everything that is on the screen now. */
  screen(): string;
  /** Presses keys by tmux's names (`Enter`, `C-c`, `Down`) or types text; see send-keys in tmux(1). */
  press(...keys: string[]): void;
  type(text: string): void;
  /** Waits until the screen matches, and returns it. Rejects, with the screen, after half a minute. */
  until(pattern: RegExp): Promise<string>;
  close(): void;
}

const PATIENCE = 30_000;

const quoted = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`;

/** The last line is `[status N]` once the command has ended. */
function scriptFor({ words, env }: CommandLine): string {
  const variables = Object.entries(env).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${quoted(value)}`],
  );
  const command = ['env', '-i', 'TERM=screen', ...variables, ...words.map(quoted)].join(' ');
  // The shell itself lives on when Ctrl-C ends the command.
  return `trap : INT\n${command}\nprintf '\\n[status %s]\\n' $?\nexec sleep 1000\n`;
}

/** Starts a command in a terminal of 120 columns and 45 rows. */
export function openTerminal(line: CommandLine): Terminal {
  const directory = mkdtempSync(path.join(tmpdir(), 'nix-run-foreign-terminal-'));
  const socket = path.join(directory, 'tmux');
  const script = path.join(directory, 'script');
  writeFileSync(script, scriptFor(line));
  const env = { ...process.env, LC_ALL: 'C.UTF-8', TMUX: '' };
  const tmux = (...words: string[]): string =>
    execFileSync('tmux', ['-S', socket, '-f', '/dev/null', ...words], { env, encoding: 'utf8' });
  tmux('new-session', '-d', '-x', '120', '-y', '45', `sh ${quoted(script)}`);
  const screen = (): string => tmux('capture-pane', '-p', '-S', '-1000');
  return {
    screen,
    press: (...keys) => void tmux('send-keys', ...keys),
    type: (text) => void tmux('send-keys', '-l', text),
    until: async (pattern) => {
      const end = Date.now() + PATIENCE;
      for (let seen = screen(); ; seen = screen()) {
        if (pattern.test(seen)) return seen;
        if (Date.now() > end) throw new Error(`the screen never showed ${pattern}:\n${seen}`);
        await sleep(50);
      }
    },
    close: () => {
      spawnSync('tmux', ['-S', socket, 'kill-server'], { env });
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** For one test file: runs words in a new terminal, which takes the place of the one before. */
export function terminalsIn(root: Root): (...argv: [string, ...string[]]) => Terminal {
  let terminal: Terminal | undefined;
  after(() => terminal?.close());
  return (...argv) => {
    terminal?.close();
    terminal = openTerminal(root.wordsOf({ argv, env: { TERM: 'screen' } }));
    return terminal;
  };
}
