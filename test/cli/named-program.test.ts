// Where a program is that the manager was told of.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { namedProgram } from '../../src/cli/program-argument.ts';

const env = { PATH: '/nowhere:/usr/bin:/bin' };

test('a bare name in PATH, everything else as it is', () => {
  assert.equal(namedProgram('env', { env }), '/usr/bin/env');
  for (const name of ['./env', '', 'no-such-program-anywhere'])
    assert.equal(namedProgram(name, { env }), name);
});

test('without PATH, where execvp looks', () => {
  assert.match(namedProgram('env', { env: {} }), /^(\/usr)?\/bin\/env$/);
});
