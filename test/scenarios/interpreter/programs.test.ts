// Programs that are hard on whoever enters them, with no prefix, each way in, on their first start and on later ones.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { ensureRig } from '../../rig/rig.ts';
import { homeInRoot } from '../../rig/root.ts';
import { sampled } from '../../sample.ts';
import { compile } from '../compile.ts';
import { onHost } from '../foreign-files.ts';
import { storeFileOnHost } from '../saved-state.ts';
import { openToolRoot, type ToolRoot } from '../tool.ts';
import { type OpenWay, openWays } from './ways-in.ts';

const rig = await ensureRig('full');
const sources = path.join(import.meta.dirname, 'programs');
const source = (name: string) => readFileSync(path.join(sources, name), 'utf8');

interface Library {
  readonly soname: string;
  readonly host: string;
}

/** A library in a store object of its own. Its own needs are found by name, as the farm has them. */
async function library(
  root: ToolRoot,
  name: string,
  compiler: 'cc' | 'c++',
  words: readonly string[],
): Promise<Library> {
  const soname = `lib${name}.so.1`;
  const object = path.join(root.homeDir, '..', 'objects', `${name}-1.0`);
  const file = path.join(object, 'lib', soname);
  mkdirSync(path.dirname(file), { recursive: true });
  execFileSync(compiler, ['-shared', '-fPIC', `-Wl,-soname,${soname}`, '-o', file, ...words], {
    stdio: 'pipe',
  });
  const { stdout, stderr, status } = await root.runOnHost({ argv: ['nix-store', '--add', object] });
  assert.equal(status, 0, stderr);
  return { soname, host: storeFileOnHost(root, `${stdout.trim()}/lib/${soname}`) };
}

/** Compiles a program of programs/ to a path of the root. */
function program(root: ToolRoot, name: string, flags: readonly string[] = []): string {
  const inRoot = path.join(homeInRoot, 'bin', path.parse(name).name);
  const target = onHost(root, inRoot);
  mkdirSync(path.dirname(target), { recursive: true });
  if (name.endsWith('.c')) compile(target, source(name), flags);
  else execFileSync('c++', ['-o', target, path.join(sources, name), ...flags], { stdio: 'pipe' });
  return inRoot;
}

interface Proof {
  readonly name: string;
  /** Puts the program into the root. */
  make(root: ToolRoot): Promise<string> | string;
  readonly prints: RegExp;
}

const proofs: readonly Proof[] = [
  {
    name: 'starts itself again by /proc/self/exe',
    make: (root) => program(root, 're-execute.c'),
    prints: /^depth 3, \/home\/tester\/bin\/re-execute, library path \(null\)\n$/,
  },
  {
    name: 'searches a library by its soname while it runs',
    make: async (root) => {
      const late = await library(root, 'late', 'cc', [path.join(sources, 'late.c')]);
      return program(root, 'open-late.c', [late.host]);
    },
    prints: /^late 84, two copies\n$/,
  },
  {
    name: 'has a payload at the end of its file',
    make: (root) => {
      const file = program(root, 'read-payload.c');
      appendFileSync(onHost(root, file), 'sixteen bytes ok');
      return file;
    },
    prints: /^sixteen bytes ok\n$/,
  },
  {
    name: 'throws a C++ exception through three libraries',
    make: async (root) => {
      const level = (name: string, more: readonly string[]) =>
        library(root, name, 'c++', [
          `-DLEVEL=${name}`,
          `-DLEVEL_NAME="${name} "`,
          path.join(sources, 'throw.cc'),
          ...more,
        ]);
      const third = await level('third', []);
      const second = await level('second', ['-DNEXT=third', third.host]);
      const first = await level('first', ['-DNEXT=second', second.host]);
      return program(root, 'catch.cc', [first.host, '-Wl,--allow-shlib-undefined']);
    },
    prints: /^basic_string::at.* third second first \n$/,
  },
  {
    name: 'has forty threads, and thread-local variables and IFUNCs in five libraries',
    make: async (root) => {
      const made: string[] = [];
      for (const number of [1, 2, 3, 4, 5])
        made.push(
          (
            await library(root, `local${number}`, 'cc', [
              `-DNUMBER=${number}`,
              path.join(sources, 'thread-local.c'),
            ])
          ).host,
        );
      return program(root, 'forty-threads.c', [...made, '-pthread']);
    },
    prints: /^sum \d+, different 0\n$/,
  },
];

async function prove(root: OpenWay, { make, prints }: Proof): Promise<void> {
  const file = await make(root);
  const first = await root.plain(file);
  assert.deepEqual([first.status, first.stderr], [0, '']);
  assert.match(first.stdout, prints);
  assert.deepEqual(await root.plainHit(file), first);
  const prefixed = await root.start([file]);
  assert.deepEqual(prefixed, first);
}

interface Loaded {
  readonly loader: string;
}

for (const [turn, root] of (await openWays(rig)).entries()) {
  const { way } = root;

  for (const proof of sampled(proofs, 2, turn))
    test(`a program that ${proof.name}, entered by ${way}`, () => prove(root, proof));

  test(`a program that starts one with another C library, entered by ${way}`, async () => {
    const parent = program(root, 'start-other.c');
    const loaderOf = async (file: string) =>
      (JSON.parse((await root.manage(['explain', '--json', file])).stdout) as Loaded).loader;
    const own = await loaderOf(parent);
    const others = rig.foreign.filter(({ architecture }) => architecture === 'amd64');
    const found = new Map<string, (typeof others)[number]>();
    for (const each of others) {
      if (found.has(each.suite)) continue;
      if ((await loaderOf(each.path)) !== own) found.set(each.suite, each);
    }
    assert.ok(found.size >= 2, 'the rig has programs for other C libraries');
    for (const child of found.values()) {
      const outcome = await root.plainHit(parent, [child.path, ...child.args]);
      assert.equal(outcome.status, 0, outcome.stderr);
      assert.match(outcome.stdout, new RegExp(`^parent ${path.dirname(own)}/libc`, 'm'));
      assert.match(outcome.stdout + outcome.stderr, child.expect);
      const prefixed = await root.startHit([parent, child.path, ...child.args]);
      assert.deepEqual(
        [prefixed.status, prefixed.stdout],
        [0, outcome.stdout],
        'children of a prefixed program',
      );
    }
  });
}

test('none of them starts without us', async () => {
  const root = await openToolRoot(rig);
  assert.equal((await root.bare(program(root, 're-execute.c'))).status, 127);
});
