// From which variable, or else from /etc/passwd, the cache directory follows.
import assert from 'node:assert/strict';
import { chmodSync, chownSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import { openWorkshop, putScript, runCommand } from './launcher-fixture.ts';
import { planText, putPlan } from './plan-fixture.ts';
import { asRoot } from './tool-fixture.ts';

const workshop = await openWorkshop();
const program = putScript(workshop.directory, 'program', 'exit 0');
const uid = 54322;
const home = path.join(workshop.directory, 'home');
const passwd = path.join(workshop.directory, 'passwd');

function own(...files: readonly string[]): void {
  if (!asRoot.skip) for (const file of files) chownSync(file, uid, uid);
}

/** A cache below `directory` with a plan, all of it the user's. */
function putCache(directory: string): void {
  const file = putPlan(path.join(directory, 'nix-run-foreign'), program, planText(program));
  own(file, path.dirname(file));
}

mkdirSync(home);
own(home);
putCache(path.join(home, '.cache'));
/** Of root, who started the program with this HOME. */
const roots = path.join(workshop.directory, 'roots');
chmodSync(putPlan(path.join(roots, '.cache/nix-run-foreign'), program, planText(program)), 0o644);
after(() => rmSync(home, { recursive: true, force: true }));

/** Is there a hit with this environment, as the user, with this text as /etc/passwd? */
async function hits(env: Record<string, string>, entries: string): Promise<boolean> {
  writeFileSync(passwd, entries, { mode: 0o644 });
  const asUser = `exec setpriv --reuid=${uid} --regid=${uid} --clear-groups '${workshop.launcher}' '${program}'`;
  const script = `mount --bind '${passwd}' /etc/passwd && ${asUser}`;
  const { NIX_RUN_FOREIGN_RESOLVER, PATH } = workshop.environment as Record<string, string>;
  const { code } = await runCommand(workshop, ['unshare', '-m', 'sh', '-c', script], {
    env: { PATH, NIX_RUN_FOREIGN_RESOLVER, ...env } as Record<string, string>,
  });
  assert.ok(code === 0 || code === 125, `exit status ${code}`);
  return code === 0;
}

const others = 'root:x:0:0:root:/root:/bin/sh\nbroken\n::::\n';
const entry = `${others}someone:x:${uid}:${uid}:A, B,,:${home}:/bin/sh\n`;

const cases: readonly [name: string, hit: boolean, env: Record<string, string>, passwd: string][] = [
  ['HOME', true, { HOME: home }, others],
  ['HOME wins over /etc/passwd', true, { HOME: home }, entry.replace(home, '/')],
  ['no HOME: /etc/passwd', true, {}, entry],
  ['no HOME, an entry without a shell and newline', true, {}, entry.replace(/:\/bin\/sh\n$/, ':')],
  ['no HOME, an entry that ends at the home', true, {}, entry.replace(/:\/bin\/sh\n$/, '')],
  ['no HOME, no entry', false, {}, others],
  ['no HOME, an empty /etc/passwd', false, {}, ''],
  ['no HOME, a uid that only begins alike', false, {}, entry.replace(`:${uid}:`, `:${uid}1:`)],
  ['no HOME, a relative home in the entry', false, {}, entry.replace(home, 'home')],
  ['empty HOME: /etc/passwd', true, { HOME: '' }, entry],
  ['relative HOME: /etc/passwd', true, { HOME: 'home' }, entry],
  ['HOME of another user: /etc/passwd', true, { HOME: '/' }, entry],
  ['HOME of root with a plan, no entry', false, { HOME: roots }, others],
  ['HOME that is missing: /etc/passwd', true, { HOME: '/nowhere' }, entry],
  ['XDG_CACHE_HOME', true, { XDG_CACHE_HOME: path.join(home, '.cache') }, others],
  ['XDG_CACHE_HOME wins over HOME', false, { XDG_CACHE_HOME: '/nowhere', HOME: home }, entry],
  ['empty XDG_CACHE_HOME is as if unset', true, { XDG_CACHE_HOME: '', HOME: home }, others],
  ['relative XDG_CACHE_HOME is as if unset', true, { XDG_CACHE_HOME: 'cache', HOME: home }, others],
];

for (const [name, hit, env, text] of cases)
  test(name, asRoot, async () => {
    assert.equal(await hits(env, text), hit);
  });
