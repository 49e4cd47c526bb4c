// A program of another user that names audit modules, asked about by root → nothing that it names is run.
import assert from 'node:assert/strict';
import { chownSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { ensureRig } from '../../rig/rig.ts';
import { homeInRoot } from '../../rig/root.ts';
import { compile, compileLibrary } from '../compile.ts';
import { onHost } from '../foreign-files.ts';
import { openToolRoot } from '../tool.ts';

const root = await openToolRoot(await ensureRig('full'));
const place = path.join(homeInRoot, 'theirs');
const trace = path.join(place, 'ran-as');
const OTHER = 1000;

/** Writes who runs it. The loader calls `la_version` first (rtld-audit(7)). */
const AUDITOR = `
  #include <fcntl.h>
  #include <stdio.h>
  #include <unistd.h>
  unsigned la_version(unsigned version) {
    char text[32];
    int fd = open("${trace}", O_WRONLY | O_CREAT, 0666);
    write(fd, text, sprintf(text, "%d", (int) geteuid()));
    return version;
  }`;
const auditor = path.join(place, 'auditor.so');
compileLibrary(onHost(root, auditor), 'auditor.so', AUDITOR);

const MAIN = '#include <zlib.h>\nint main(void) { return zlibVersion()[0] != 49; }';

/** A program of another user's in a directory of his; `flags` as for the linker. */
function theirProgram(name: string, flags: readonly string[]): string {
  const program = path.join(place, name);
  compile(onHost(root, program), MAIN, ['-lz', ...flags]);
  for (const each of [place, program, auditor]) chownSync(onHost(root, each), OTHER, OTHER);
  return program;
}

function whoRan(): string | undefined {
  const file = onHost(root, trace);
  if (!existsSync(file)) return undefined;
  const uid = readFileSync(file, 'utf8');
  rmSync(file);
  return uid;
}

const programs = {
  DT_AUDIT: theirProgram('audited', [`-Wl,--audit=${auditor}`]),
  DT_DEPAUDIT: theirProgram('depaudited', [`-Wl,--depaudit=${auditor}`]),
};

for (const [tag, program] of Object.entries(programs)) {
  test(`${tag}: asking about it runs nothing`, async () => {
    const document = path.join(homeInRoot, `${tag}.json`);
    const questions = [
      ['explain', program],
      ['graph', program, '--format', 'dot'],
      ['resolve', program],
      ['resolve', '--refresh', program],
      ['resolve', '--system', program],
      ['fingerprint', 'export', program, '--output', document],
      ['fingerprint', 'verify', document, program],
      ['fingerprint', 'import', document, program],
      ['resolve', '--strategy', 'patched', program],
    ];
    for (const words of questions) {
      const { status, stderr } = await root.manage(words);
      assert.equal(status, 0, `${words.join(' ')}: ${stderr}`);
      assert.equal(whoRan(), undefined, words.join(' '));
    }
  });

  test(`${tag}: at a start the loader is asked, as it is started anyway`, async () => {
    const { status, stderr } = await root.start(['--refresh', program]);
    assert.equal(status, 0, stderr);
    assert.equal(whoRan(), '0');
  });
}

test('the set of a program without audit modules is simulated too, if it is of another user', async () => {
  const program = theirProgram('plain', []);
  const { status, stderr } = await root.manage(['resolve', program], {
    env: { NIX_RUN_FOREIGN_DEBUG: '1' },
  });
  assert.equal(status, 0, stderr);
  assert.match(stderr, /the simulation of \S+ was asked: 0 complaints/);
  assert.doesNotMatch(stderr, /debug: \/nix\/store\/\S+ was asked/);
  assert.equal((await root.startHit([program])).status, 0);
});

test('a bundled library names audit modules in vain', async () => {
  mkdirSync(onHost(root, path.join(homeInRoot, 'own')), { recursive: true });
  const makeLibrary = (flags: readonly string[]) =>
    compileLibrary(
      onHost(root, path.join(homeInRoot, 'own/libours.so.1')),
      'libours.so.1',
      'int ours(void) { return 0; }',
      flags,
    );
  const library = makeLibrary([]);
  const program = path.join(homeInRoot, 'own/program');
  compile(onHost(root, program), 'int ours(void); int main(void) { return ours(); }', [
    library,
    '-Wl,-rpath,$ORIGIN',
  ]);
  // The linker copies them into the program that is linked with such a library.
  makeLibrary([`-Wl,--audit=${auditor}`, `-Wl,--depaudit=${auditor}`]);
  const { status, stderr } = await root.manage(['explain', program], { env: { NIX_RUN_FOREIGN_DEBUG: '1' } });
  assert.equal(status, 0, stderr);
  assert.match(stderr, /debug: \/nix\/store\/\S+ was asked: 0 complaints/);
  assert.equal(whoRan(), undefined);
});
