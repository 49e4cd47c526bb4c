// Lines that people type in fish → what they print when the foreign programs in them run.
import { namedByVariables, type Shape } from './shapes.ts';

/** What `fishShapes` use, for fish's own file. */
export const fishFunctions = `function greet --description polite
  ./tool $argv greeted
end
alias aliased="./tool alias"
abbr -a -- short ./tool abbreviated
set kept ./tool`;

/** With `fishFunctions`, in a home furnished by shell-session.ts. */
export const fishShapes: readonly Shape[] = [
  { line: './tool \'a b\' "c" | cat', output: /^<\.\/tool>\[a b\]\[c\]$/ },
  { line: 'named x', output: /^<named>\[x\]$/ },
  { line: 'FOO=1 ./tool', output: /^<\.\/tool> FOO=1$/ },
  { line: './tool > out; cat out', output: /^<\.\/tool>$/ },
  { line: 'time ./tool t', output: /^<\.\/tool>\[t\]\n.*Executed/s },
  { line: 'for i in 1 2; ./tool $i; end', output: /^<\.\/tool>\[1\]\n<\.\/tool>\[2\]$/ },
  { line: 'greet a', output: /^<\.\/tool>\[a\]\[greeted\]$/ },
  { line: 'aliased b', output: /^<\.\/tool>\[alias\]\[b\]$/ },
  { line: './tool back & ; wait', output: /<\.\/tool>\[back\]/ },
  { line: 'echo (./tool s) (named q)', output: /^<\.\/tool>\[s\] <named>\[q\]$/ },
  { line: 'echo "a $(./tool s) b"', output: /^a <\.\/tool>\[s\] b$/ },
  { line: './golike q', output: /^<\.\/golike>\[q\]$/ },
  { line: './tabbed q', output: /^tabbed q$/ },
  { line: './tool exit 7', output: /^$/, status: 7 },
  { line: 'echo in | ./tool cat | cat', output: /^in$/ },
  { line: './tool cat < out', output: /^<\.\/tool>$/ },
  { line: 'begin; ./tool brace; end', output: /^<\.\/tool>\[brace\]$/ },
  { line: 'if ./tool exit 0; echo yes; end', output: /^yes$/ },
  { line: './tool a && ./tool b', output: /^<\.\/tool>\[a\]\n<\.\/tool>\[b\]$/ },
  { line: './tool a; and not ./tool exit 1; and echo c', output: /^<\.\/tool>\[a\]\nc$/ },
  { line: 'cd vendor && ./vtool v; cd ..', output: /^<\.\/vtool>\[v\]$/ },
  { line: '$kept var', output: /^<\.\/tool>\[var\]$/ },
  { line: '"./tool" quoted', output: /^<\.\/tool>\[quoted\]$/ },
  { line: '~/tool tilde', output: /^<\/home\/tester\/tool>\[tilde\]$/ },
  { line: 'command ./tool c; command named d', output: /^<\.\/tool>\[c\]\n<named>\[d\]$/ },
  { line: 'FOO="a b" BAR=(echo x) ./tool', output: /^<\.\/tool> FOO=a b$/ },
  { line: 'named p | while read -l l; ./tool $l; end', output: /^<\.\/tool>\[<named>\[p\]\]$/ },
  { line: 'for i in 1\n./tool $i\necho after\nend | cat', output: /^<\.\/tool>\[1\]\nafter$/ },
  { line: 'switch x; case x; ./tool case; end', output: /^<\.\/tool>\[case\]$/ },
  {
    line: './tool "./tool; ./tool" \'(./tool)\' # ./tool',
    output: /^<\.\/tool>\[\.\/tool; \.\/tool\]\[\(\.\/tool\)\]$/,
  },
  { line: './tool 2>&1 >/dev/null err; ./tool 2>| cat', output: /^<\.\/tool>$/ },
  { line: 'short', output: /^<\.\/tool>\[abbreviated\]$/ },
];

/** What only fish's hook has to be told of. */
export const furtherFishShapes: readonly Shape[] = [
  { line: 'time named t', output: /^<named>\[t\]\n.*Executed/s },
  { line: 'command named t', output: /^<named>\[t\]$/ },
  { line: 'not named t', output: /^<named>\[t\]$/, status: 1 },
  { line: 'begin\nnamed x\nend', output: /^<named>\[x\]$/ },
  { line: "cp tool 'my tool'; ./my\\ tool q", output: /^<\.\/my tool>\[q\]$/ },
  { line: './my\\ tool q', output: /^<\.\/my tool>\[q\]$/ },
  { line: '"./my tool" q', output: /^<\.\/my tool>\[q\]$/ },
  { line: '~/my\\ tool q', output: /^<\/home\/tester\/my tool>\[q\]$/ },
  { line: "mkdir -p 'a b'; cp tool 'a b/tool'; 'a b/tool' q", output: /^<a b\/tool>\[q\]$/ },
  { line: "'a b/tool' q", output: /^<a b\/tool>\[q\]$/ },
  { line: "echo 'a;'; 'a b/tool' c; echo 'd'", output: /^a;\n<a b\/tool>\[c\]\nd$/ },
  { line: 'cp tool bin/sp\\ ace; ./tool; sp\\ ace q', output: /<sp ace>\[q\]$/ },
  { line: 'sp\\ ace q', output: /^<sp ace>\[q\]$/ },
  { line: 'cp tool t1 && FOO=2 ./t1 "x y" | cat; rm t1', output: /^<\.\/t1>\[x y\] FOO=2$/ },
  { line: 'cp tool t2; chmod -x t2; chmod +x ./t2; and ./t2 y & ; wait; rm t2', output: /<\.\/t2>\[y\]/ },
  { line: 'mkdir -p build && cd build && ../tool z; cd ..; rmdir build', output: /<\.\.\/tool>\[z\]$/ },
  {
    line: './tool a &> ./log; ./tool b >> ./log 2>&1; true; cat < ./log; rm log',
    output: /<\.\/tool>\[a\]\n<\.\/tool>\[b\]$/,
  },
  { line: 'for f in t4 t5; cp tool $f; ./$f; rm $f; end', output: /^<\.\/t4>\n<\.\/t5>$/ },
];

/** One after the other in one shell. */
export const fishVariables: readonly Shape[] = [
  ...namedByVariables((name) => `set ${name} ./tool`),
  { line: 'set words ./tool pre', output: /^$/ },
  { line: '$words a', output: /^<\.\/tool>\[pre\]\[a\]$/ },
  { line: 'set list ./nothing ./tool', output: /^$/ },
  { line: '$list[2] a; "$list[-1]" b', output: /^<\.\/tool>\[a\]\n<\.\/tool>\[b\]$/ },
  { line: '{$list[2]} a', output: /^<\.\/tool>\[a\]$/ },
  { line: "eval './tool a'; eval named b | cat", output: /^<\.\/tool>\[a\]\n<named>\[b\]$/ },
  { line: 'eval "for i in 1; $list[2] $HOME; end"', output: /^<\.\/tool>\[\/home\/tester\]$/ },
  { line: 'eval "echo \'a;\' ./tool"', output: /^a; \.\/tool$/ },
  { line: 'set name ~', output: /^$/ },
  { line: '$name/tool a', output: /^<\/home\/tester\/tool>\[a\]$/ },
  { line: '"$name/tool" a', output: /^<\/home\/tester\/tool>\[a\]$/ },
  { line: '{$name}/tool a', output: /^<\/home\/tester\/tool>\[a\]$/ },
  { line: "'$name' a", output: /Unknown command: '\$name'/, status: 127 },
  { line: '$absent/home/tester/tool a', output: /The expanded command was empty/, status: 123 },
];
