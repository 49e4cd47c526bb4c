// The commands about documents: the same bytes whoever writes them, and each says what it did and what is wrong.
import assert from 'node:assert/strict';
import {
  appendFileSync,
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import path from 'node:path';
import { beforeEach, test } from 'node:test';
import { sha256OfFile } from '../../../src/host/file-identity.ts';
import { makeKeyPair } from '../../rig/binary-cache.ts';
import { ensureRig } from '../../rig/rig.ts';
import { homeInRoot } from '../../rig/root.ts';
import { compile, compileLibrary } from '../compile.ts';
import { copyHome, foreign } from '../foreign-files.ts';
import { planFiles, rootLinks } from '../saved-state.ts';
import {
  assertRan,
  exchangeForTests,
  forget,
  type Machine,
  manage,
  openMachine,
  originOf,
  putFile,
  SIDECAR,
  words,
} from './machines.ts';

const rig = await ensureRig('full');
const exchange = exchangeForTests();
const machine = await openMachine(rig, exchange);
const { program } = machine;
const sidecar = `${program}.nix-fingerprint.json`;
const key = await makeKeyPair(machine, exchange, 'maker-1');
const read = (name: string, of: Machine = machine) => readFileSync(path.join(of.homeDir, name), 'utf8');

beforeEach(() => {
  forget(machine);
  rmSync(path.join(machine.homeDir, SIDECAR), { force: true });
});

/** The manager's failure: a line of cause, a line of remedy. */
async function assertFails(
  line: readonly string[],
  status: number,
  cause: RegExp,
  remedy: RegExp,
): Promise<void> {
  const outcome = await machine.manage(line);
  assert.equal(outcome.stdout, '');
  const [first = '', second = '', end] = outcome.stderr.split('\n');
  assert.match(first, cause);
  assert.match(second, remedy);
  assert.equal(end, '');
  assert.equal(outcome.status, status);
}

test('export is the same in two runs, on two machines, and on stdout', async () => {
  assert.equal(await manage(machine, ['fingerprint', 'export', program]), `wrote ${sidecar}\n`);
  const first = read(SIDECAR);
  rmSync(path.join(machine.homeDir, SIDECAR));
  forget(machine);
  assert.equal(await manage(machine, ['fingerprint', 'export', program, '-o', '-']), first);
  assert.equal(existsSync(path.join(machine.homeDir, SIDECAR)), false);
  const other = await openMachine(rig, exchange, { uid: 1000, daemon: 'running' });
  await manage(other, ['fingerprint', 'export', program]);
  assert.equal(read(SIDECAR, other), first);
  assert.equal(statSync(path.join(other.homeDir, SIDECAR)).mode & 0o777, 0o644);
});

test('what a sidecar led to is exported as it was', async () => {
  const first = await manage(machine, ['fingerprint', 'export', program, '-o', '-']);
  putFile(machine, SIDECAR, first);
  forget(machine);
  assertRan(await machine.start([program, ...words]));
  assert.equal(await originOf(machine), sidecar);
  assert.equal(await manage(machine, ['fingerprint', 'export', program, '-o', '-']), first);
});

test('signed at once or afterwards: the same bytes', async () => {
  const unsigned = await manage(machine, ['fingerprint', 'export', program, '-o', '-']);
  const signed = await manage(machine, [
    'fingerprint',
    'export',
    program,
    '--key',
    key.secretFile,
    '-o',
    '-',
  ]);
  const file = putFile(machine, 'later.json', unsigned);
  const said = await manage(machine, ['fingerprint', 'sign', '--key', key.secretFile, file]);
  assert.equal(said, `signed ${file} with maker-1; its public key is ${key.publicKey}\n`);
  assert.equal(read('later.json'), signed);
  await manage(machine, ['fingerprint', 'sign', '--key', key.secretFile, file]);
  assert.equal(read('later.json'), signed, 'signing again changes nothing');
  assert.match(await manage(machine, ['fingerprint', 'show', file]), /^signed by +maker-1$/m);
});

test('a directory: one file for each program, or one for all', async () => {
  const bin = path.join(homeInRoot, 'vendor/bin');
  for (const name of ['jq', 'curl']) copyHome(machine, foreign(rig, 'bookworm', name), `vendor/bin/${name}`);
  putFile(machine, 'vendor/README', 'read me');
  const vendor = path.dirname(bin);
  const each = await manage(machine, ['fingerprint', 'export', vendor]);
  assert.equal(each, ['curl', 'jq'].map((name) => `wrote ${bin}/${name}.nix-fingerprint.json\n`).join(''));
  const documents = ['curl', 'jq'].map((name) => read(`vendor/bin/${name}.nix-fingerprint.json`).trimEnd());
  for (const name of ['curl', 'jq'])
    rmSync(path.join(machine.homeDir, `vendor/bin/${name}.nix-fingerprint.json`));
  const tree = `${vendor}/.nix-fingerprints.json`;
  assert.equal(await manage(machine, ['fingerprint', 'export', '--tree', vendor]), `wrote ${tree}\n`);
  const lines = read('vendor/.nix-fingerprints.json').split('\n');
  assert.deepEqual(
    lines
      .slice(1, 3)
      .map((line) => line.replace(/,$/, ''))
      .sort(),
    documents.sort(),
  );
  forget(machine);
  assertRan(await machine.start([`${bin}/jq`, ...words]));
  assert.equal(await originOf({ ...machine, program: `${bin}/jq` }), tree);
  assert.match(
    await manage(machine, ['fingerprint', 'show', tree]),
    /libjq\.so\.1[\s\S]*\n\nprogram|libcurl[\s\S]*\n\nprogram/,
  );
  await assertFails(['fingerprint', 'export', vendor, '-o', `${vendor}/x`], 125, /a tree/, /--tree/);
});

test('a directory with links out of it: nothing is read or written there', async () => {
  copyHome(machine, foreign(rig, 'bookworm', 'jq'), 'tree/bin/jq');
  copyHome(machine, foreign(rig, 'bookworm', 'curl'), 'out/curl');
  symlinkSync('../out', path.join(machine.homeDir, 'tree/link'));
  symlinkSync('/', path.join(machine.homeDir, 'tree/z:'));
  const tree = path.join(homeInRoot, 'tree');
  const each = await manage(machine, ['fingerprint', 'export', tree]);
  assert.equal(each, `wrote ${tree}/bin/jq.nix-fingerprint.json\n`);
  assert.deepEqual(readdirSync(path.join(machine.homeDir, 'out')), ['curl']);
  await manage(machine, ['fingerprint', 'export', '--tree', tree]);
  assert.equal(read('tree/.nix-fingerprints.json').trimEnd().split('\n').length, 3, 'one program');
});

test('a secret key that others may read serves, and it is said', async () => {
  const secret = readFileSync(path.join(exchange.directory, 'maker-1.secret'), 'utf8');
  const file = putFile(machine, 'maker.secret', secret);
  chmodSync(path.join(machine.homeDir, 'maker.secret'), 0o640);
  const words = ['fingerprint', 'export', program, '--key', file, '-o', '-'];
  const { status, stderr } = await machine.manage(words);
  const line = `nix-foreign: others may read or change the secret key ${file}: chmod 600 ${file}\n`;
  assert.deepEqual([status, stderr], [0, line]);
  chmodSync(path.join(machine.homeDir, 'maker.secret'), 0o600);
  assert.equal((await machine.manage(words)).stderr, '');
});

test('a link by the name of a sidecar is replaced and not followed', async () => {
  const there = path.join(machine.homeDir, SIDECAR);
  await manage(machine, ['resolve', program]); // or a start would say why it does not use the link
  symlinkSync('/dev/stderr', there);
  const { status, stdout, stderr } = await machine.manage(['fingerprint', 'export', program]);
  assert.deepEqual([status, stdout, stderr], [0, `wrote ${sidecar}\n`, '']);
  assert.ok(lstatSync(there).isFile());
});

test('of a directory every program that failed is named', async () => {
  const bin = path.join(homeInRoot, 'failing');
  for (const name of ['a', 'b', 'c']) {
    copyHome(machine, foreign(rig, 'bookworm', 'jq'), `failing/${name}`);
    if (name !== 'b') mkdirSync(path.join(machine.homeDir, `failing/${name}.nix-fingerprint.json`));
  }
  const { status, stdout, stderr } = await machine.manage(['fingerprint', 'export', bin]);
  assert.deepEqual([status, stdout], [125, `wrote ${bin}/b.nix-fingerprint.json\n`]);
  for (const name of ['a', 'c'])
    assert.match(stderr, new RegExp(`${bin}/${name}\\.nix-fingerprint.*cannot be`));
});

test('a tree keeps what it has of programs that fail, and is as it was where none is there', async () => {
  const half = path.join(homeInRoot, 'half');
  const inHalf = (name: string) => path.join(machine.homeDir, 'half', name);
  const export_ = (...more: string[]) => machine.manage(['fingerprint', 'export', '--tree', half, ...more]);
  copyHome(machine, foreign(rig, 'bookworm', 'jq'), 'half/jq');
  await manage(machine, ['fingerprint', 'export', '--tree', half]);
  const [head = '', ofJq = '', tail = ''] = read('half/.nix-fingerprints.json').split('\n');
  const library = compileLibrary(
    inHalf('libabsent.so.9'),
    'libabsent.so.9',
    'int absent(void) { return 1; }',
  );
  compile(inHalf('lacking'), 'int absent(void); int main(void) { return absent(); }', [library]);
  rmSync(library);
  const ofLacking = ofJq.replace(sha256OfFile(inHalf('jq')), sha256OfFile(inHalf('lacking')));
  const another = ofJq.replace(sha256OfFile(inHalf('jq')), 'f'.repeat(64));
  const tree = putFile(
    machine,
    'half/.nix-fingerprints.json',
    `${head}\n${ofLacking},\n${another}\n${tail}\n`,
  );
  const kept = await export_();
  assert.deepEqual([kept.status, kept.stdout], [126, `wrote ${tree}\n`]);
  assert.match(kept.stderr, /half\/lacking: .*libabsent\.so\.9/);
  const text = read('half/.nix-fingerprints.json');
  const lines = text.split('\n').map((line) => line.replace(/,$/, ''));
  assert.deepEqual(lines.slice(1, -2).sort(), [ofJq, ofLacking].sort());

  const stays = async (status: number, cause: RegExp, ...more: string[]) => {
    const outcome = await export_(...more);
    assert.deepEqual([outcome.status, outcome.stdout], [status, '']);
    assert.match(outcome.stderr, cause);
    assert.equal(read('half/.nix-fingerprints.json'), text);
  };
  chmodSync(inHalf('.nix-fingerprints.json'), 0o664);
  await stays(125, /\.nix-fingerprints\.json: it stays, .*: its group may write to it/);
  chmodSync(inHalf('.nix-fingerprints.json'), 0o644);
  rmSync(inHalf('jq'));
  await stays(126, /half\/lacking: /);
  await stays(126, /half\/lacking: /, '-o', '-');
  const [row, ...others] = JSON.parse((await export_('--json')).stdout);
  assert.deepEqual([row.program, Object.keys(row), others], [`${half}/lacking`, ['program', 'error'], []]);
  assert.deepEqual(Object.keys(row.error), ['code', 'message', 'hint']);
  const planned = await manage(machine, ['resolve', '--dry-run', '--json', `${half}/lacking`]);
  const { error } = JSON.parse(planned);
  assert.deepEqual({ ...error, hint: '' }, { ...row.error, hint: '' }, 'a dry run has the same shape');
  rmSync(inHalf('lacking'));
  await stays(125, /no program built for another Linux/);
  await stays(125, /no program built for another Linux/, '-o', '-');
});

test('publish names its key only where it signed, and no password', async () => {
  const line = ['publish', program, '--key', key.secretFile];
  assert.equal(
    await manage(machine, [...line, '--to', 'file:///exchange/unsigned']),
    `published ${program}\n`,
  );
  assert.match(await manage(machine, [...line, '--fingerprints', '/exchange/signed']), /who trusts it/);
  const { status, stderr } = await machine.manage([...line, '--to', 'nonsense://user:secret@x']);
  assert.equal(status, 125);
  assert.match(
    stderr,
    /nix --extra-experimental-features nix-command copy --to nonsense:\/\/\.\.\.@x \/nix\/store/,
  );
  assert.doesNotMatch(stderr, /secret/);
});

test('verify changes nothing, import plans', async () => {
  const file = putFile(
    machine,
    'elsewhere.json',
    await manage(machine, ['fingerprint', 'export', program, '-o', '-']),
  );
  forget(machine);
  const good = `${file}: good for ${program}, believed by its owner\n`;
  assert.equal(await manage(machine, ['fingerprint', 'verify', file, program]), good);
  assert.deepEqual([planFiles(machine), rootLinks(machine)], [[], []]);
  assert.equal(
    await manage(machine, ['fingerprint', 'import', file, program]),
    `${program}: ready, by ${file}\n`,
  );
  assertRan(await machine.start([program, ...words], { env: { NIX_RUN_FOREIGN_RESOLVER: '/nowhere/x' } }));
  await assertFails(
    ['fingerprint', 'verify', file],
    125,
    /lies beside no program/,
    /name the program after it/,
  );
});

test('verify says why a document would not do', async () => {
  const text = await manage(machine, ['fingerprint', 'export', program, '-o', '-']);
  const hash = /"narHash":"(sha256:[0-9a-f]+)"/.exec(text)?.[1] ?? assert.fail('no hash');
  const wrong = putFile(machine, SIDECAR, text.replace(hash, `sha256:${'0'.repeat(64)}`));
  const hint = /see what it says with: nix-foreign fingerprint show/;
  await assertFails(
    ['fingerprint', 'verify', wrong],
    126,
    /is not used: \/nix\/store\/\S+ has other content here/,
    hint,
  );
  await assertFails(['fingerprint', 'import', wrong], 126, /is not used: /, hint);
  appendFileSync(path.join(machine.homeDir, SIDECAR), ' ');
  await assertFails(['fingerprint', 'verify', wrong], 125, /canonical|JSON/, /./);
});

test('diff has the status of diff(1)', async () => {
  const text = await manage(machine, ['fingerprint', 'export', program, '-o', '-']);
  const file = putFile(machine, 'before.json', text);
  assert.equal(await manage(machine, ['fingerprint', 'diff', file, program]), '');
  const other = foreign(rig, 'bookworm', 'curl');
  const { status, stdout } = await machine.manage(['fingerprint', 'diff', file, other.path]);
  assert.equal(status, 1);
  assert.match(stdout, /^~ program sha256 .* → .*\n~ program size/);
  assert.match(stdout, /^- libjq\.so\.1 +libjq1-\S+ \(exact\)$/m);
  assert.match(stdout, /^\+ libcurl\.so\.4 +libcurl4\S+ \(exact\)$/m);
});

test('what has no fingerprint is told', async () => {
  const script = putFile(machine, 'script', `#!${machine.rig.bash}\n`, 0o755);
  const none = /it needs no library of the store, so it has no fingerprint/;
  await assertFails(['fingerprint', 'export', script], 125, none, /it starts as it is/);
  mkdirSync(path.join(machine.homeDir, 'empty'), { recursive: true });
  const empty = path.join(homeInRoot, 'empty');
  await assertFails(
    ['fingerprint', 'export', empty],
    125,
    /no program built for another Linux/,
    /name a program/,
  );
  assert.deepEqual(readdirSync(path.join(machine.homeDir, 'empty')), []);
  await assertFails(['fingerprint', 'show', '/nowhere'], 127, /\/nowhere/, /./);
  await assertFails(['fingerprint', 'sign', script], 125, /needs a key/, /--key FILE/);
  await assertFails(
    ['fingerprint', 'export', program, '--key', '/nowhere'],
    125,
    /\/nowhere: it cannot be read/,
    /nix-store --generate-binary-cache-key NAME FILE PUBLIC-FILE/,
  );
  const notKey = putFile(machine, 'public', `${key.publicKey}\n`);
  await assertFails(
    ['fingerprint', 'export', program, '--key', notKey],
    125,
    /as a public key has; a secret key has 64/,
    /nix-store --generate-binary-cache-key/,
  );
  await assertFails(['publish', program], 125, /publish needs to know where/, /--to STORE-URL/);
  await assertFails(
    ['publish', program, '--fingerprints', '/exchange/x'],
    125,
    /only when they are signed/,
    /--key FILE/,
  );
  await assertFails(['pull', program], 125, /no source is configured/, /config\.toml/);
});

test('where nothing can be written, publish says so', async () => {
  const line = ['publish', program, '--key', key.secretFile, '--fingerprints'];
  await assertFails(
    [...line, '/proc/nowhere'],
    125,
    /\/proc\/nowhere\/v1\/\w\w: it cannot be made: no such/,
    /--fingerprints DIR/,
  );
  await assertFails(
    [...line, '/etc'],
    125,
    /\/etc\/v1\/\w\w: it cannot be made: read-only/,
    /--fingerprints DIR/,
  );
  await assertFails(
    ['publish', program, '--to', 'nonsense://x'],
    125,
    /nothing was published: .*nonsense:\/\/x/,
    /nix --extra-experimental-features nix-command copy --to nonsense:\/\/x \/nix\/store/,
  );
});
