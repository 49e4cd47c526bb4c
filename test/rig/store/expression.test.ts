// The generated expression, built by a real Nix in a store of its own.
import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { execa } from 'execa';
import { ensureHostTools } from '../packages/host-tools.ts';
import { attributeName, storeExpression } from './expression.ts';
import { nixEnvironment, withNixMounted } from './private-nix.ts';
import { readDynamic } from './readelf.ts';
import type { PlannedObject } from './store-object.ts';

let directory: string;

before(async () => {
  await ensureHostTools();
  directory = mkdtempSync(join(tmpdir(), 'nix-run-foreign-expression-'));
});
after(() => rmSync(directory, { recursive: true, force: true }));

test('objects hold their files under their own names, and refer to what they need', async () => {
  const nix = join(directory, 'nix');
  const sources = join(nix, 'sources');
  mkdirSync(sources, { recursive: true });
  writeFileSync(join(directory, 'a.c'), 'int a(void) { return 0; }\n');
  writeFileSync(join(directory, 'b.c'), 'int a(void);\nint b(void) { return a(); }\n');
  const strange = `it's $\{a} "b" \\.txt`;
  writeFileSync(join(sources, strange), 'strange');
  const gcc = (...args: string[]) => execa('gcc', args, { cwd: directory });
  await gcc(
    '-shared',
    '-fPIC',
    '-nostdlib',
    '-Wl,-soname,liba.so.1',
    '-o',
    join(sources, 'liba.so.1.0'),
    'a.c',
  );
  await gcc(
    '-shared',
    '-fPIC',
    '-nostdlib',
    '-o',
    join(sources, 'libb.so'),
    'b.c',
    join(sources, 'liba.so.1.0'),
  );
  const dynamic = await readDynamic([join(sources, 'liba.so.1.0'), join(sources, 'libb.so')]);
  const plan = (name: string, files: [string, string][], links: [string, string][]): PlannedObject => ({
    key: `g:amd64:${name}`,
    name,
    group: 'g:amd64',
    files: new Map(files.map(([source, target]) => [join(sources, source), target])),
    links: new Map(links),
    dynamic: new Map(
      [...dynamic].filter(([path]) => files.some(([source]) => path === join(sources, source))),
    ),
    kind: 'library',
  });
  const a = plan(
    'a',
    [
      ['liba.so.1.0', 'lib/liba.so.1.0'],
      [strange, `lib/${strange}`],
    ],
    [['lib/liba.so.1', 'liba.so.1.0']],
  );
  const b = plan('b', [['libb.so', 'lib/sub/libb.so']], []);
  writeFileSync(join(nix, 'all.nix'), storeExpression([a, b], [], sources, '/nix/sources'));

  const env = nixEnvironment(join(directory, 'scratch'));
  const build = async (o: PlannedObject) =>
    withNixMounted(nix, ['nix-build', '--no-out-link', '/nix/all.nix', '-A', attributeName(o)], env);
  const [pathA, pathB] = [await build(a), await build(b)];
  const at = (path: string) => join(directory, path);
  assert.equal(readFileSync(at(`${pathA}/lib/${strange}`), 'utf8'), 'strange');
  assert.equal(readlinkSync(at(`${pathA}/lib/liba.so.1`)), 'liba.so.1.0');
  assert.ok(existsSync(at(`${pathB}/lib/sub/libb.so`)));
  const file = at(`${pathB}/lib/sub/libb.so`);
  assert.deepEqual((await readDynamic([file])).get(file)?.runpath, [`${pathA}/lib`]);
  assert.equal(await withNixMounted(nix, ['nix-store', '-q', '--references', pathB], env), pathA);
  const text = readFileSync(join(nix, 'all.nix'), 'utf8');
  assert.ok(!text.includes(directory), 'no path of this machine is in a derivation');
});
