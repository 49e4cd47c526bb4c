// A program that cannot be started is told about in two lines, with the status that ld.so has: 127.
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { ensureRig } from '../../rig/rig.ts';
import { homeInRoot } from '../../rig/root.ts';
import { compile, compileLibrary } from '../compile.ts';
import { assertRefused } from '../expect-failure.ts';
import { onHost } from '../foreign-files.ts';
import { openWays } from './ways-in.ts';

const rig = await ensureRig('full');
const source =
  '#include <stdio.h>\nint nowhere(void);\nint main(void) { return puts("fine") < 0 || nowhere(); }';
const program = path.join(homeInRoot, 'bin/needy');

for (const root of await openWays(rig)) {
  const { way } = root;
  mkdirSync(path.dirname(onHost(root, program)), { recursive: true });
  const library = compileLibrary(
    path.join(root.homeDir, '..', 'libnowhere.so.1'),
    'libnowhere.so.1',
    'int nowhere(void) { return 0; }',
  );
  compile(onHost(root, program), source, [library]);

  test(`a library that no store object has: the resolver's words, entered by ${way}`, async () => {
    const prefixed = await root.start([program]);
    const outcome = await root.plain(program);
    assertRefused(outcome, { status: 127, cause: /libnowhere\.so\.1/ });
    assert.equal(outcome.stderr, prefixed.stderr);
  });

  test(`a resolver that cannot be started, entered by ${way}`, async () => {
    const outcome = await root.plain(program, [], {
      env: { NIX_RUN_FOREIGN_RESOLVER: '/nowhere/nix-foreign' },
    });
    assertRefused(outcome, { status: 127, cause: /the resolver cannot be started/ });
  });

  test(`a resolver that is named by a relative path, entered by ${way}`, async () => {
    const outcome = await root.plain(program, [], { env: { NIX_RUN_FOREIGN_RESOLVER: 'nix-foreign' } });
    assertRefused(outcome, { status: 127, cause: /is not an absolute path/ });
  });
}
