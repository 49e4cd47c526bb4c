// Values of Exec keys, as vendors write them → the program in them, and the same line with another one.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { programOfExec, quoteWord, withProgram } from '../../../src/integrations/shims/desktop-entry.ts';

const values = [
  ['/opt/app/app %U', '/opt/app/app', '/s/app %U'],
  ['app', 'app', '/s/app'],
  ['"/opt/my app/app" --new "two words" %f', '/opt/my app/app', '/s/app --new "two words" %f'],
  ['"/opt/a\\\\\\\\b\\\\"c/app" x', '/opt/a\\b"c/app', '/s/app x'],
  ['/opt/100%%/app %F', '/opt/100%/app', '/s/app %F'],
  ['env A=1 B="x" /opt/app/app -x', '/opt/app/app', 'env A=1 B="x" /s/app -x'],
  ['/usr/bin/env GTK=1 app %u', 'app', '/usr/bin/env GTK=1 /s/app %u'],
  ['env A=1', undefined, 'env A=1'],
  ['env -u NAME app %U', 'app', 'env -u NAME /s/app %U'],
  ['env -uNAME -i A=1 app', 'app', 'env -uNAME -i A=1 /s/app'],
  ['env -iu NAME --unset OTHER --chdir /opt app', 'app', 'env -iu NAME --unset OTHER --chdir /opt /s/app'],
  ['env --unset=NAME -C /opt - -a name app', 'app', 'env --unset=NAME -C /opt - -a name /s/app'],
  ['env -i -- A=1 app -u x', 'app', 'env -i -- A=1 /s/app -u x'],
  ['env a.b=1 app', 'app', 'env a.b=1 /s/app'],
  ['env -S "A=1 app" x', undefined, 'env -S "A=1 app" x'],
  ['env -vS "A=1 app"', undefined, 'env -vS "A=1 app"'],
  ['env "--split-string=A=1 app" x', undefined, 'env "--split-string=A=1 app" x'],
  ['env -u', undefined, 'env -u'],
  ['', undefined, ''],
  ['sh -c "exec app \\\\$HOME"', 'sh', '/s/app -c "exec app \\\\$HOME"'],
] as const;

for (const [value, program, changed] of values)
  test(`Exec=${value}`, () => {
    assert.equal(programOfExec(value), program);
    assert.equal(withProgram(value, '/s/app'), changed);
  });

test('a program whose path needs quotes comes out as it went in', () => {
  for (const program of ['/a b/c', '/a"b', '/a$b`c', '/a\\b', '/100%/x', "/it's", '/a;b', '/ä'])
    assert.equal(programOfExec(withProgram('app %U', program)), program);
  assert.equal(quoteWord('/plain/name-1.2_x'), '/plain/name-1.2_x');
});
