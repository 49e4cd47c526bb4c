// Needs that the store cannot meet: the message names the library, who needs it, and what was looked at.
import assert from 'node:assert/strict';
import { mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { ensureRig } from '../../rig/rig.ts';
import { homeInRoot, type Outcome } from '../../rig/root.ts';
import { compile, compileLibrary } from '../compile.ts';
import { assertRefused } from '../expect-failure.ts';
import { onHost } from '../foreign-files.ts';
import { rootLinks } from '../saved-state.ts';
import { openToolRoot } from '../tool.ts';

const rig = await ensureRig('full');
const root = await openToolRoot(rig);
const place = path.join(homeInRoot, 'needy');
const stubs = onHost(root, path.join(homeInRoot, 'stubs'));
const on = (name: string) => onHost(root, path.join(place, name));
mkdirSync(on('.'));
mkdirSync(stubs);

/** A library to link with, of which the root has none. */
function stub(name: string, source: string, versions?: string): string {
  const file = path.join(stubs, `${name}.stub`);
  const script = path.join(stubs, 'versions.map');
  if (versions === undefined) return compileLibrary(file, name, source);
  compile(script, versions, ['-E', '-P']);
  return compileLibrary(file, name, source, [`-Wl,--version-script=${script}`]);
}

const nowhere = stub('libnowhere.so.7', 'int nowhere(void) { return 7; }');
const oldSsl = stub('libssl.so.99', 'int nowhere(void) { return 7; }');
const newZlib = stub('libz.so.1', 'int nowhere(void) { return 7; }', 'ZLIB_99.9 { global: *; };');
const newLibc = stub('libc.so.6', 'int nowhere(void) { return 7; }', 'GLIBC_9.99 { global: nowhere; };');
const main = 'int nowhere(void); int main(void) { return nowhere(); }';

compile(on('direct'), main, [nowhere]);
compile(on('similar'), main, [oldSsl]);
compile(on('version'), main, [newZlib]);
compile(on('libc'), 'int nowhere(void); void _start(void) { nowhere(); }', ['-nostdlib', newLibc]);
compileLibrary(on('libours.so'), 'libours.so', 'int nowhere(void); int ours(void) { return nowhere(); }', [
  nowhere,
]);
compile(on('bundling'), 'int ours(void); int main(void) { return ours(); }', [
  on('libours.so'),
  `-Wl,-rpath,$ORIGIN,--allow-shlib-undefined`,
]);
rmSync(stubs, { recursive: true });

async function outcomeOf(name: string): Promise<Outcome> {
  const program = path.join(place, name);
  assert.notEqual((await root.bare(program)).status, 7);
  const outcome = await root.start([program]);
  assert.deepEqual(rootLinks(root), []);
  return outcome;
}

test('a library that nobody has', async () => {
  const outcome = await outcomeOf('direct');
  assertRefused(outcome, { status: 126, cause: /direct: direct needs libnowhere\.so\.7/ });
  assert.match(outcome.stderr, /looked at \d+ libraries in \d+ store objects of \/nix\/store/);
});

test('a library of which there are other versions', async () => {
  const outcome = await outcomeOf('similar');
  assertRefused(outcome, { status: 126, cause: /similar needs libssl\.so\.99/ });
  assert.match(outcome.stderr, /libssl\.so\.1\.1, libssl\.so\.3/);
});

test('a library that only a bundled one needs', async () => {
  assertRefused(await outcomeOf('bundling'), { status: 126, cause: /libours\.so needs libnowhere\.so\.7/ });
});

test('a version that nobody defines', async () => {
  const outcome = await outcomeOf('version');
  assertRefused(outcome, {
    status: 126,
    cause: /version needs libz\.so\.1 \(ZLIB_99\.9\).*up to ZLIB_\d/,
  });
  assert.match(outcome.stderr, /bring another build of libz\.so\.1 into the store/);
});

test('a newer C library than there is', async () => {
  assertRefused(await outcomeOf('libc'), {
    status: 126,
    cause: /libc needs libc\.so\.6 \(GLIBC_9\.99\).*up to GLIBC_2\.\d+/,
  });
});
