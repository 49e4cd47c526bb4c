// A text and the library it refers to → a binary cache, by every Nix; from there on a machine that lacks both.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import type { Copied, Realised } from '../../src/store/fetch.ts';
import { emptyStore, makeKeyPair, openExchange, providerOf, substitutionLines } from '../rig/binary-cache.ts';
import { ensureRig } from '../rig/rig.ts';
import { homeInRoot, openRoot } from '../rig/root.ts';
import { serveDirectory } from '../rig/web-server.ts';
import { sampled } from '../sample.ts';

const PROJECT = path.resolve(import.meta.dirname, '../..');
const program = (name: string) => path.join(import.meta.dirname, 'programs', name);

const rig = await ensureRig('full');
const exchange = openExchange();
after(() => exchange.close());
const binds = [exchange.bind, { from: PROJECT, mode: 'read-only' } as const];
const [here, there] = [await openRoot(rig, { binds }), await openRoot(rig, { binds })];
after(() => Promise.all([here.close(), there.close()]));
await emptyStore(there);
const key = await makeKeyPair(here, exchange, 'publisher-1');
const library = providerOf(rig, 'bookworm', 'libXau.so.6').path;
const node = [rig.node, '--disable-warning=ExperimentalWarning'] as const;

async function publish(bin: string, url: string): Promise<{ storePath: string; copied: Copied }> {
  const argv = [...node, program('copy-paths.ts'), url, `${homeInRoot}/text`, library] as const;
  const { status, stdout, stderr } = await here.run({
    argv,
    env: { PATH: bin, NIX_CONFIG: 'download-attempts = 1' },
  });
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout);
}

async function fetchFrom(substituter: string, bin: string, storePath: string): Promise<Realised> {
  const link = `${homeInRoot}/fetched`;
  const env = {
    PATH: bin,
    NIX_CONFIG: substitutionLines({ substituters: [substituter], trustedKeys: [key.publicKey] }),
  };
  const argv = [...node, program('realise-paths.ts'), link, storePath] as const;
  const { status, stdout, stderr } = await there.run({ argv, env });
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout) as Realised;
}

const isThere = (storePath: string) => existsSync(path.join(there.nixDir, path.relative('/nix', storePath)));

for (const { version, bin } of sampled(rig.nixVersions, 3, 1)) {
  test(`Nix ${version}: the text brings its library along`, async () => {
    const name = `cache-${version}`;
    mkdirSync(path.join(exchange.directory, name));
    const url = `file://${exchange.inRoot}/${name}?compression=none&secret-key=${key.secretFile}`;
    const { storePath, copied } = await publish(bin, url);
    assert.deepEqual(copied, { kind: 'copied' });
    const narinfo = path.join(exchange.directory, name, `${path.basename(storePath).slice(0, 32)}.narinfo`);
    assert.match(readFileSync(narinfo, 'utf8'), /^CA: text:sha256:/m);
    await there.run({ argv: [rig.node, '-e', `fs.rmSync('${homeInRoot}/fetched', { force: true })`] });
    await emptyStore(there);
    assert.equal(isThere(library), false);
    const server = await serveDirectory(path.join(exchange.directory, name));
    const realised = await fetchFrom(server.url, bin, storePath);
    await server.close();
    assert.deepEqual(realised, { kind: 'realised', links: [`${homeInRoot}/fetched`] });
    await emptyStore(there);
    assert.ok(isThere(storePath) && isThere(library), 'one root keeps both');
  });

  test(`Nix ${version}: a store that cannot be written is refused in one line, without its password`, async () => {
    for (const url of [
      'http://user:hidden@127.0.0.1:1',
      'file:///proc/nowhere',
      'file:///tmp/cache?secret-key=/no-key',
      'nonsense://user:hidden@x',
    ]) {
      const { copied } = await publish(bin, url);
      assert.equal(copied.kind, 'refused', url);
      const why = copied.kind === 'refused' ? copied.why : '';
      assert.doesNotMatch(why, /hidden|\n|^$/, url);
    }
  });
}
