// Lines that people type → what they print when the foreign programs in them run.

export interface Shape {
  readonly line: string;
  readonly output: RegExp;
  readonly status?: number;
}

/** Names of variables that a hook may have for its own. */
const names =
  'name word words text line number reply at depth within directory directories rest later match file answer base';

/** Variables of those names, each with the path of a program; `assign` makes one. For a shell of its own. */
export function namedByVariables(assign: (name: string) => string): Shape[] {
  return names.split(' ').flatMap((name) => [
    { line: assign(name), output: /^$/ },
    { line: `$${name} a`, output: /^<\.\/tool>\[a\]$/ },
  ]);
}

/** For bash and zsh, in a home furnished by shell-session.ts, with a function `greet` and an alias `aliased`. */
export const posixShapes: readonly Shape[] = [
  { line: './tool \'a b\' "c" | cat', output: /^<\.\/tool>\[a b\]\[c\]$/ },
  { line: 'named x', output: /^<named>\[x\]$/ },
  { line: 'FOO=1 ./tool', output: /^<\.\/tool> FOO=1$/ },
  { line: './tool > out; cat out', output: /^<\.\/tool>$/ },
  { line: 'time ./tool t', output: /^<\.\/tool>\[t\]\n.*(real|total)/s },
  { line: 'for i in 1 2; do ./tool $i; done', output: /^<\.\/tool>\[1\]\n<\.\/tool>\[2\]$/ },
  { line: 'greet a', output: /^<\.\/tool>\[a\]\[greeted\]$/ },
  { line: 'aliased b', output: /^<\.\/tool>\[alias\]\[b\]$/ },
  { line: './tool back & wait', output: /<\.\/tool>\[back\]/ },
  { line: 'echo "$(./tool s) `named q`"', output: /^<\.\/tool>\[s\] <named>\[q\]$/ },
  { line: './golike q', output: /^<\.\/golike>\[q\]$/ },
  { line: './tabbed q', output: /^tabbed q$/ },
  { line: './tool exit 7', output: /^$/, status: 7 },
  { line: 'echo in | ./tool cat | cat', output: /^in$/ },
  { line: './tool cat < out', output: /^<\.\/tool>$/ },
  { line: '(./tool sub); { ./tool brace; }', output: /^<\.\/tool>\[sub\]\n<\.\/tool>\[brace\]$/ },
  { line: 'if ./tool exit 0; then echo yes; fi', output: /^yes$/ },
  { line: './tool a && ./tool b || ./tool c', output: /^<\.\/tool>\[a\]\n<\.\/tool>\[b\]$/ },
  { line: 'cd vendor && ./vtool v; cd ..', output: /^<\.\/vtool>\[v\]$/ },
  { line: 'x=./tool; $x var', output: /^<\.\/tool>\[var\]$/ },
  { line: '"./tool" quoted', output: /^<\.\/tool>\[quoted\]$/ },
  { line: '~/tool tilde', output: /^<\/home\/tester\/tool>\[tilde\]$/ },
  { line: 'exec 5>&1; ./tool fd >&5; exec 5>&-', output: /^<\.\/tool>\[fd\]$/ },
  { line: 'while read -r l; do ./tool $l; done < <(named p)', output: /^<\.\/tool>\[<named>\[p\]\]$/ },
  { line: 'for i in 1\ndo ./tool $i\necho after\ndone | cat', output: /^<\.\/tool>\[1\]\nafter$/ },
  { line: './tool bang', output: /^<\.\/tool>\[bang\]$/ },
  { line: '!!', output: /^\.\/tool bang\n<\.\/tool>\[bang\]$/ },
];
