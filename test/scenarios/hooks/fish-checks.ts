// A fish with the hook → checks of what it does beyond running lines, in fish 3 and in fish 4.
import assert from 'node:assert/strict';
import type { ShellSession } from './shell-session.ts';

/** Of `read` in a line, and of what is typed after one in a binding. */
export async function checkAnswers(shell: ShellSession): Promise<void> {
  shell.type('./tool a; read -P "? " answer; echo "[$answer]"');
  shell.press('Enter');
  await shell.until(/^\? *$/m);
  shell.type('./tool');
  shell.press('Enter');
  await shell.until(/^<\.\/tool>\[a\]\n\? \.\/tool\n\[\.\/tool\]\nst=0>/m);
  assert.equal((await shell.run(`bind \\co 'read -n 1 -g -P "?? " answer' #`)).status, 0);
  shell.press('C-o');
  await shell.until(/^\?\? *$/m);
  shell.type('y');
  await shell.until(/^\?\? y/m);
  shell.type('./tool $answer');
  shell.press('Enter');
  await shell.until(/^<\.\/tool>\[y\]\nst=0>/m);
}

/** Of Enter while a list of completions is shown, and with one of them selected; then while history's is shown. */
export async function checkLists(shell: ShellSession): Promise<void> {
  assert.equal((await shell.run('cp tool tool2')).status, 0);
  for (const keys of [['Tab'], ['Tab', 'Tab'], ['C-r']] as const) {
    const said = keys.length + keys[0];
    shell.type('./too');
    for (const key of keys) {
      shell.press(key);
      await shell.until(/^(search:|.*\.\/tool2? .*\.\/tool2?)/m);
    }
    shell.press('Enter');
    await shell.until(/\nst=0> [^\n]*\.\/tool[^\n]*\n*$/);
    shell.type(` ${said}`);
    shell.press('Enter');
    await shell.until(new RegExp(`^<\\./tool2?>.*\\[${said}\\]\\nst=0>`, 'm'));
  }
  assert.equal((await shell.run('rm tool2')).status, 0);
}

/** Of a function that fish loads from a file, whose programs are changed, when the file changes. */
export async function checkLoading(shell: ShellSession): Promise<void> {
  const file = '~/.config/fish/functions/load-ed.fish';
  const write = (...words: readonly string[]) => {
    const commands = words.map((word) => `./tool ${word} $argv`).join('; ');
    return shell.run(
      `mkdir -p (path dirname ${file}); echo 'function load-ed; ${commands}; end' > ${file} #`,
    );
  };
  await write('first');
  for (const argument of ['a', 'b'])
    assert.equal((await shell.run(`load-ed ${argument}`)).output, `<./tool>[first][${argument}]`);
  await write('second', 'third');
  // Of another second.
  assert.equal((await shell.run(`touch -d 2001-01-01 ${file}`)).status, 0);
  assert.equal((await shell.run('load-ed d')).output, '<./tool>[second][d]\n<./tool>[third][d]');
  // One that is typed has no file.
  await shell.run('function load-ed; ./tool typed; end');
  await write('fourth');
  assert.equal((await shell.run('load-ed e')).output, '<./tool>[typed]');
  assert.equal((await shell.run(`rm ${file}`)).status, 0);
}
