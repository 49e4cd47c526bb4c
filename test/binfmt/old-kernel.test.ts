// The release of a kernel → whether rules may be registered.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { refuseOldKernel } from '../../src/cli/binfmt.ts';

test('before Linux 5.12 a rule would give each program an argument too many, so none is registered', () => {
  for (const kernel of ['4.18.0-553.el8_10.x86_64', '5.10.0-32-amd64', '5.4.0'])
    assert.throws(
      () => refuseOldKernel(kernel),
      { code: 'binfmt', message: /that came with 5\.12$/ },
      kernel,
    );
  for (const kernel of ['5.12.0', '5.15.0-91-generic', '6.1.0-37-amd64', '7.0-rc1', '10.2'])
    refuseOldKernel(kernel);
});
