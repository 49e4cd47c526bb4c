// The resolver and what it starts never wait for a resolver of their own, whatever they are and whatever is set.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
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

  const started = onHost(root, at('started'));
  /** An executable that notes its environment at each start and becomes `words`; native, so that nothing is asked for it. */
  const noting = (name: string, words: string) => {
    mkdirSync(path.dirname(onHost(root, at(name))), { recursive: true });
    const script = `#!${rig.bash}\n(echo "start of ${name}"; declare -x) >> ${at('started')}\nexec ${words} "$@"\n`;
    writeFileSync(onHost(root, at(name)), script, { mode: 0o755 });
    return at(name);
  };
  const startsOf = (name: string) =>
    existsSync(started) ? readFileSync(started, 'utf8').split(`start of ${name}\n`).length - 1 : 0;
  const realResolver = (name: string) => noting(name, `${rig.node} /opt/tool/dist/nix-foreign.cjs`);

  test(`a resolver that is a foreign program itself ends at once, entered by ${way}`, async () => {
    rmSync(started, { force: true });
    const env = { NIX_RUN_FOREIGN_RESOLVER: noting('once', program('resolver')) };
    const outcome = await root.plain(program('asks'), [], { env, timeoutMs: 20_000 });
    assert.equal(outcome.stdout, '');
    assert.equal(outcome.status, 127, outcome.stderr);
    assert.equal(startsOf('once'), 1, 'no resolver of the resolver');
    // nix-ld has nothing to enter then: NIX_LD is taken from the resolver.
    assert.match(
      outcome.stderr,
      way === 'launcher'
        ? /^nix-run-foreign: \S*\/resolver: the resolver needs it, and it has no plan\n {2}\S/
        : /nix-ld.*\nnix-run-foreign: the resolver (was ended by signal 6|failed with exit status 1)\n {2}\S[^\n]*\n$/s,
    );
  });

  test(`a Nix that is a foreign program ends at once, entered by ${way}`, async () => {
    rmSync(started, { force: true });
    for (const name of ['nix-store', 'nix-instantiate', 'nix'])
      noting(`nix/${name}`, program(`nix/${name}-itself`));
    const outcome = await root.plain(program('needs-nix'), [], {
      env: { PATH: at('nix'), NIX_RUN_FOREIGN_RESOLVER: realResolver('for-nix') },
      timeoutMs: 20_000,
    });
    assert.deepEqual([outcome.status, outcome.stdout], [0, 'fine\n'], 'it starts, unpinned');
    assert.match(outcome.stderr, /not protected from garbage collection/);
    assert.ok(startsOf('nix/nix-store') + startsOf('nix/nix-instantiate') > 0, 'no Nix was asked');
    assert.equal(startsOf('for-nix'), 1, 'no resolver of the Nix');
  });

  test(`what the session says of nix-ld and of libraries does not reach the resolver, entered by ${way}`, async () => {
    rmSync(started, { force: true });
    const env = {
      NIX_LD: launcher,
      NIX_LD_x86_64_linux: launcher,
      NIX_LD_LIBRARY_PATH: '/nowhere',
      LD_LIBRARY_PATH: '/nowhere',
      LD_DEBUG_OUTPUT: '/nowhere/debug',
      GLIBC_TUNABLES: 'glibc.malloc.check=3',
      NIX_RUN_FOREIGN_RESOLVER: realResolver('in-noise'),
    };
    const outcome = await root.plain(program('noisy-session'), [], { env });
    assert.deepEqual([outcome.status, outcome.stdout, outcome.stderr], [0, 'fine\n', '']);
    assert.equal(startsOf('in-noise'), 1);
    const seen = readFileSync(started, 'utf8');
    assert.match(seen, /^declare -x NIX_RUN_FOREIGN_RESOLVING="1"$/m);
    assert.doesNotMatch(seen, /^declare -x (NIX_LD|LD_|GLIBC)/m);
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
