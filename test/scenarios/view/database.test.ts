// npm's PostgreSQL: initdb starts the server beside it, pg_ctl too, the server a shell, and Debian's psql asks it.
import assert from 'node:assert/strict';
import { chmodSync, cpSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { treePackage } from '../../rig/npm/tree-packages.ts';
import { ensureRig } from '../../rig/rig.ts';
import { homeInRoot } from '../../rig/root.ts';
import { sampled } from '../../sample.ts';
import type { ToolRoot } from '../tool.ts';
import { cases, giveHome, openViewRoot } from './view-root.ts';

const rig = await ensureRig('full');
const native = path.join(await treePackage('postgres'), 'native');
const psql = rig.foreign.find(({ name, suite }) => name === 'psql' && suite === 'bookworm') ?? assert.fail();
const bin = path.join(homeInRoot, 'pg/bin');
const data = path.join(homeInRoot, 'data');

/** As the script of the package does after it was installed. */
function install(root: ToolRoot): void {
  const place = path.join(root.homeDir, 'pg');
  cpSync(native, place, { recursive: true });
  for (const name of readdirSync(path.join(place, 'bin'))) chmodSync(path.join(place, 'bin', name), 0o755);
  const links: { source: string; target: string }[] = JSON.parse(
    readFileSync(path.join(native, 'pg-symlinks.json'), 'utf8'),
  );
  for (const { source, target } of links)
    symlinkSync(
      path.relative(path.dirname(target), source),
      path.join(place, '..', target.replace('native', 'pg')),
    );
}

const INIT = ['-D', data, '-U', 'me', '--no-sync', '-c', 'dynamic_shared_memory_type=sysv'] as const;

const SESSION = `
${bin}/pg_ctl -D ${data} -w -l ${homeInRoot}/log -o "-k ${homeInRoot} -c listen_addresses=''" start >/dev/null
ask() { ${psql.path} -h ${homeInRoot} -U me postgres -Atc "$1"; }
ask "select 6*7, count(*) > 3 from pg_stat_activity"
ask "copy (select 'by a shell') to program 'cat > ${homeInRoot}/copied'"
echo $(<${homeInRoot}/copied)
${bin}/pg_ctl -D ${data} stop >/dev/null`;

// It refuses to run as root.
for (const { interpreter, uid } of sampled(
  cases.filter((each) => each.uid !== 0),
  2,
)) {
  const root = await openViewRoot(rig, { interpreter, uid });
  install(root);
  giveHome(root, uid);

  test(`interpreter ${interpreter}: initdb, the server, its children, psql`, async () => {
    assert.notEqual((await root.bare(`${bin}/initdb`, INIT)).status, 0);
    const byLoader = await root.start(['--strategy', 'loader', `${bin}/initdb`, ...INIT]);
    assert.notEqual(byLoader.status, 0, byLoader.stdout);
    const made = await root.start(['--strategy', 'auto', `${bin}/initdb`, ...INIT], { timeoutMs: 120_000 });
    assert.equal(made.status, 0, made.stderr);
    const { stdout, stderr } = await root.start([rig.bash, '-c', SESSION], { timeoutMs: 120_000 });
    assert.equal(stdout, '42|t\nCOPY 1\nby a shell\n', stderr);
  });
}
