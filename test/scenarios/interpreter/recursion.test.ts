// The resolver and what it starts never wait for a resolver of their own, whatever they are and whatever is set.
import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { ensureRig } from '../../rig/rig.ts';
import { homeInRoot } from '../../rig/root.ts';
import { compile } from '../compile.ts';
import { onHost } from '../foreign-files.ts';
import { launcher } from '../tool.ts';
import { openWays } from './ways-in.ts';

const rig = await ensureRig('full');
const source = '#include <stdio.h>\nint main(void) { return puts("fine") < 0; }';
const at = (name: string) => path.join(homeInRoot, 'bin', name);

for (const root of await openWays(rig)) {
  const { way } = root;
  mkdirSync(onHost(root, at('.')), { recursive: true });
  const program = (name: string) => {
    // Another name is another program: each test begins with a miss.
    compile(onHost(root, at(name)), source);
    return at(name);
  };

  test(`a resolver that is a foreign program itself ends at once, entered by ${way}`, async () => {
    const env = { NIX_RUN_FOREIGN_RESOLVER: program('resolver') };
    const outcome = await root.plain(program('asks'), [], { env, timeoutMs: 20_000 });
    assert.equal(outcome.stdout, '');
    assert.equal(outcome.status, 127, outcome.stderr);
    // nix-ld has nothing to enter then: NIX_LD is taken from the resolver.
    if (way === 'launcher')
      assert.match(
        outcome.stderr,
        /^nix-run-foreign: \S*\/resolver: the resolver needs it, and it has no plan\n {2}\S/,
      );
  });

  test(`a Nix that is a foreign program ends at once, entered by ${way}`, async () => {
    mkdirSync(onHost(root, at('nix')), { recursive: true });
    for (const name of ['nix-store', 'nix-instantiate', 'nix'])
      copyFileSync(onHost(root, program('stand-in')), onHost(root, at(`nix/${name}`)));
    const outcome = await root.plain(program('needs-nix'), [], {
      env: { PATH: at('nix') },
      timeoutMs: 20_000,
    });
    assert.deepEqual([outcome.status, outcome.stdout], [0, 'fine\n'], 'it starts, unpinned');
    assert.match(outcome.stderr, /not protected from garbage collection/);
  });

  test(`what the session says of nix-ld and of libraries does not reach the resolver, entered by ${way}`, async () => {
    const env = {
      NIX_LD: launcher,
      NIX_LD_x86_64_linux: launcher,
      NIX_LD_LIBRARY_PATH: '/nowhere',
      LD_LIBRARY_PATH: '/nowhere',
      LD_DEBUG_OUTPUT: '/nowhere/debug',
      GLIBC_TUNABLES: 'glibc.malloc.check=3',
    };
    const outcome = await root.plain(program('noisy-session'), [], { env });
    assert.deepEqual([outcome.status, outcome.stdout, outcome.stderr], [0, 'fine\n', '']);
  });

  test(`within a resolver a program with a plan starts, and one without is refused, entered by ${way}`, async () => {
    const file = program('known');
    assert.equal((await root.plain(file)).stdout, 'fine\n');
    const env = { NIX_RUN_FOREIGN_RESOLVING: '1' };
    assert.equal((await root.plain(file, [], { env })).stdout, 'fine\n');
    const refused = await root.plain(program('unknown'), [], { env });
    assert.deepEqual([refused.status, refused.stdout], [127, '']);
    assert.match(refused.stderr, /^nix-run-foreign: \S*\/unknown: the resolver needs it/);
  });

  test(`the program's own environment does not say that there was a resolver, entered by ${way}`, async () => {
    const file = at('environment');
    compile(
      onHost(root, file),
      '#include <stdio.h>\nextern char **environ;\nint main(void) { for (char **e = environ; *e; e++) puts(*e); }',
    );
    const first = await root.plain(file);
    assert.equal(first.status, 0, first.stderr);
    assert.doesNotMatch(first.stdout, /NIX_RUN_FOREIGN|LIBRARY_PATH/);
    assert.equal((await root.plain(file)).stdout, first.stdout);
  });
}
