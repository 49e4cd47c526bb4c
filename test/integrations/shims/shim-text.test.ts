// A launcher and a program → a file that starts the one through the other, whatever is in their names.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readShimText, shimText } from '../../../src/integrations/shims/shim-file.ts';

const names = [
  ['/opt/tool/bin/nix-run-foreign', '/opt/vendor/bin/tool', 'line'],
  ['/opt/tool/bin/nix-run-foreign', '/opt/vendor tools/bin/my tool', 'line'],
  ['/opt/tool/bin/nix-run-foreign', '/opt/ä/\u{1f600}', 'line'],
  ['/opt/tool/bin/nix-run-foreign', '/opt/ends in a blank ', 'shell'],
  ['/opt/tool/bin/nix-run-foreign', '/opt/two\nlines', 'shell'],
  ['/opt/my tools/nix-run-foreign', "/opt/it's", 'shell'],
  ['/l', `/${'x'.repeat(241)}`, 'line'],
  ['/l', `/${'x'.repeat(242)}`, 'shell'],
  ['/l', `/${'ä'.repeat(120)}`, 'line'],
  ['/l', `/${'ä'.repeat(121)}`, 'shell'],
] as const;

for (const [launcher, program, form] of names)
  test(`${form}: ${launcher} ${program.slice(0, 40)} (${program.length})`, () => {
    const text = shimText(launcher, program);
    assert.equal(text.startsWith('#!/bin/sh\n'), form === 'shell');
    assert.ok(form === 'shell' || Buffer.byteLength(text) <= 255);
    assert.deepEqual(readShimText(text), { launcher, program });
  });

test('nothing else is taken for a shim', () => {
  const text = shimText('/l', '/p');
  for (const other of [
    '',
    '#!/bin/sh\n',
    `${text}more\n`,
    text.slice(0, -1),
    text.replace('--shim', '--shims'),
    text.replace('/p', 'p'),
    '#!/bin/sh\nexec \'/l\' \'--shim=/p\' "$0" "$@"\n', // we would have written the other form
    "#!/bin/sh\nexec '/l x' '--shim=/p'; rm 'x' '--shim=/p' \"$0\" \"$@\"\n",
  ])
    assert.equal(readShimText(other), undefined, other);
});
