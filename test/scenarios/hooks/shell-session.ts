// A root and a shell → a real interactive shell in a terminal, with foreign programs beside it and on its PATH.
import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fetchOfSuite } from '../../rig/fetch-once.ts';
import type { Bind, Root } from '../../rig/root.ts';
import { openTerminal, type Terminal } from '../choosing/terminal.ts';
import { onHost } from '../foreign-files.ts';
import type { ToolRoot } from '../tool.ts';

export type ShellName = 'bash' | 'zsh' | 'fish';

/** What is `/` for another fish than this machine's, in a root. */
const FISH_4 = '/opt/fish-4';

/** Debian's zsh and fish and what comes with them, for the rig's store has no such objects; and the terminal's own name. */
export const shellBinds: readonly Bind[] = [
  { from: '/usr', mode: 'read-only' },
  { from: '/dev/pts', mode: 'read-write' },
];

/** With these the fish of a root is the one of Debian 13, which has nothing but its data at paths of its own. */
export async function fish4Binds(): Promise<Bind[]> {
  const names = ['fish', 'fish-common', 'libpcre2-32-0', 'libc6', 'libgcc-s1'];
  const from = await fetchOfSuite('trixie', names);
  const data = '/usr/share/fish';
  return [
    ...shellBinds,
    { from, to: FISH_4, mode: 'read-only' },
    { from: path.join(from, data), to: data, mode: 'read-only' },
  ];
}

/** A root, and the rig that its bash comes from. */
export type ShellRoot = Root & Pick<ToolRoot, 'rig'>;

export interface Answer {
  /** Everything between the line and the next prompt. */
  readonly output: string;
  readonly status: number;
}

export interface ShellSession extends Terminal {
  /** Types lines, presses Enter after each, and waits for the next prompt. */
  run(lines: string): Promise<Answer>;
}

const prompt = /^st=(\d+)> ?/m;
const prompts = /^st=(\d+)> ?/gm;
const lastPrompt = /\nst=\d+>$|^st=\d+>$/;
const home = '/home/tester';
const PATIENCE = 20_000;

const rcFiles: Readonly<Record<ShellName, string>> = {
  bash: '.bashrc',
  zsh: '.zshrc',
  fish: '.config/fish/config.fish',
};

/** What makes a shell's prompt one that is recognized. */
export const prelude: Readonly<Record<ShellName, string>> = {
  bash: `PS1='st=$?> '\nPS2='more> '\n`,
  zsh: `PS1='st=%?> '\nPS2='more> '\nunsetopt prompt_sp\nsetopt interactive_comments\n`,
  fish: `function fish_prompt; echo "st=$status> "; end\nset -g fish_greeting\nset -g fish_autosuggestion_enabled 0\n`,
};

export const hookLine: Readonly<Record<ShellName, string>> = {
  bash: 'eval "$(nix-foreign hook bash)"',
  zsh: 'eval "$(nix-foreign hook zsh)"',
  fish: 'nix-foreign hook fish | source',
};

/** PT_INTERP's program header in the bytes of a 64-bit file. */
function interpreterHeader(bytes: Buffer): number {
  const headers = Array.from({ length: bytes.readUInt16LE(56) }, (_, i) => 64 + 56 * i);
  return headers.find((header) => bytes.readUInt32LE(header) === 3) ?? 0;
}

function interpreterIn(file: string): string {
  const bytes = readFileSync(file);
  const header = interpreterHeader(bytes);
  const start = Number(bytes.readBigUInt64LE(header + 8));
  return bytes.toString('latin1', start, start + Number(bytes.readBigUInt64LE(header + 32)) - 1);
}

/** As Go's linker does it: the interpreter ends with the first page, behind a build id with slashes in it. */
function interpreterAsOfGo(file: string, interpreter: string): void {
  const bytes = readFileSync(file);
  const header = interpreterHeader(bytes);
  const earlier = Number(bytes.readBigUInt64LE(header + 8));
  bytes.fill(0, earlier, earlier + Number(bytes.readBigUInt64LE(header + 32)));
  const start = 4096 - interpreter.length - 1;
  bytes.write(`Go\0${'iYk2/Qq7x/F_9'.padEnd(20, 'z')}\0${interpreter}\0`, start - 24, 'latin1');
  for (const field of [8, 16, 24]) {
    const value = bytes.readBigUInt64LE(header + field) - BigInt(earlier) + BigInt(start);
    bytes.writeBigUInt64LE(value, header + field);
  }
  for (const field of [32, 40]) bytes.writeBigUInt64LE(BigInt(interpreter.length + 1), header + field);
  writeFileSync(file, bytes);
}

/** `./golike` is foreign, `./gonix` a program of Nix. */
function putProgramsAsOfGo(root: ToolRoot): void {
  const at = (name: string) => onHost(root, path.join(home, name));
  const foreign = interpreterIn(at('tool'));
  const ofNix = interpreterIn(path.join(root.rig.nixDir, path.relative('/nix', root.rig.bash)));
  for (const [name, interpreter] of [
    ['golike', foreign],
    ['gonix', ofNix],
  ] as const) {
    const runPath = `-Wl,-rpath,${path.dirname(interpreter)}`;
    execFileSync('cc', ['-o', at(name), path.join(import.meta.dirname, 'speak.c'), runPath]);
    interpreterAsOfGo(at(name), interpreter);
  }
}

/**
 * Puts `./tool`, `./golike`, `./gonix`, a script `./tabbed`, `named` on PATH, `~/vendor/vtool`, and the commands
 * nix-foreign and kill into the home of a root.
 */
export function furnishHome(root: ToolRoot): void {
  const at = (name: string) => onHost(root, path.join(home, name));
  for (const name of ['bin', 'vendor', '.config/fish']) mkdirSync(at(name), { recursive: true });
  execFileSync('cc', ['-o', at('tool'), path.join(import.meta.dirname, 'speak.c')]);
  for (const name of ['bin/named', 'vendor/vtool', 'vendor/unlisted']) copyFileSync(at('tool'), at(name));
  putProgramsAsOfGo(root);
  writeFileSync(at('tabbed'), '#!\t/bin/bash\necho tabbed "$@"\n', { mode: 0o755 });
  const manager = `#!${root.rig.bash}\nexec ${root.rig.node} /opt/tool/dist/nix-foreign.cjs "$@"\n`;
  writeFileSync(at('bin/nix-foreign'), manager);
  chmodSync(at('bin/nix-foreign'), 0o755);
  // The root has none, and fish has none of its own.
  writeFileSync(at('bin/kill'), `#!${root.rig.bash}\nkill "$@"\n`);
  chmodSync(at('bin/kill'), 0o755);
}

function wordsFor(shell: ShellName, root: ShellRoot): [string, ...string[]] {
  if (shell === 'bash') return [root.rig.bash, '-i'];
  // Debian's own file would be a foreign program here.
  return [...loaderWords(shell, '/'), `/usr/bin/${shell}`, '-i'];
}

function loaderWords(shell: ShellName, directory: string): [string, ...string[]] {
  const libraries = path.join(directory, 'usr/lib/x86_64-linux-gnu');
  return [`${libraries}/ld-linux-x86-64.so.2`, '--library-path', libraries, '--argv0', shell];
}

/** In a root with `fish4Binds`. */
export function openFish4(root: ShellRoot, rc: string): Promise<ShellSession> {
  return openShell(root, 'fish', rc, [...loaderWords('fish', FISH_4), `${FISH_4}/usr/bin/fish`, '-i']);
}

/** Opens a shell whose own file holds `rc`, after a prompt that shows `$?`. */
export async function openShell(
  root: ShellRoot,
  shell: ShellName,
  rc: string,
  words = wordsFor(shell, root),
): Promise<ShellSession> {
  const file = onHost(root, path.join(home, rcFiles[shell]));
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, `${prelude[shell]}${rc}\n`);
  const env = {
    TERM: 'screen',
    TERMINFO: '/usr/lib/terminfo',
    SHELL: `/usr/bin/${shell}`,
    PATH: `${home}/bin:/nix/var/nix/profiles/default/bin`,
  };
  return sessionIn(openTerminal(root.wordsOf({ argv: words, env })));
}

/** Waits for the first prompt of a shell that begins in a terminal; the prompt is one of `prelude`. */
export async function sessionIn(terminal: Terminal): Promise<ShellSession> {
  const count = (screen: string) => screen.match(prompts)?.length ?? 0;
  const promptAfter = async (earlier: number): Promise<string> => {
    for (const end = Date.now() + PATIENCE; ; await sleep(50)) {
      const screen = terminal.screen().trimEnd();
      if (count(screen) > earlier && lastPrompt.test(screen)) return screen;
      if (Date.now() > end) throw new Error(`no prompt came back:\n${screen}`);
    }
  };
  await promptAfter(0);
  return {
    ...terminal,
    run: async (lines) => {
      const before = count(terminal.screen());
      for (const line of lines.split('\n')) {
        terminal.type(line);
        terminal.press('Enter');
      }
      const screen = await promptAfter(before);
      const status = Number([...screen.matchAll(prompts)].at(-1)?.[1]);
      const answer = screen.split(prompt).filter((_, i) => i % 2 === 0)[before] ?? '';
      return { output: answer.split('\n').slice(lines.split('\n').length).join('\n').trimEnd(), status };
    },
  };
}
