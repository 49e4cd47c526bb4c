// An open way → each row of the table of docs/what-each-way-keeps.md, observed: the words of its cell.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { launcher } from '../tool.ts';
import { nameOf, programs, reportOf } from './probe.ts';
import { type OpenWay, type ScriptSettings, USER } from './ways.ts';

const { probe, packed, other, native, ofRoot, ofUser, libraries } = programs;

const seen = async (way: OpenWay, text: string, settings: ScriptSettings = {}) =>
  reportOf(await way.script(text, settings));

/** Two programs, one of them known to look at itself, may be started in two ways. */
const forThose = (plain: string, known: string) => (plain === known ? plain : `${plain}; ${known} if known`);

/** The report of both. */
async function both(way: OpenWay, words: string): Promise<[string, string]> {
  const cell = async (program: string) => {
    const { status, stdout } = await way.script(`exec $start ${program} ${words}`);
    return status === 0 && stdout.includes('\nzlib 1.') ? 'works' : 'fails';
  };
  return [await cell(probe), await cell(packed)];
}

async function itself(way: OpenWay): Promise<string> {
  const exe = async (program: string) => nameOf((await seen(way, `$start ${program} report`))['exe'] ?? '');
  return forThose(await exe(probe), await exe(packed));
}

async function comm(way: OpenWay): Promise<string> {
  const name = (await seen(way, `$start ${probe} report`))['comm'];
  return name === 'ld-linux-x86-64' ? 'ld.so' : name === 'probe' ? 'the program' : `${name}`;
}

async function argv0(way: OpenWay): Promise<string> {
  const text = `cd ${path.dirname(probe)}; $start ./probe report`;
  const name = (await seen(way, text))['argv0'];
  return name === './probe' ? 'kept' : `${name}`;
}

/** What a shell can set of a process; a static program, started as it is, is what all others are held against. */
async function state(way: OpenWay): Promise<string> {
  const set = `cd /tmp; umask 027; ulimit -n 512; trap '' PIPE HUP; exec 7</etc/passwd 2>&-; echo "shell $$"`;
  const reported = async (words: string) => {
    const { stdout } = await way.script(`${set}; exec ${words} state`);
    const shell = /^shell (\d+)$/m.exec(stdout)?.[1] ?? '';
    assert.match(stdout, /^cwd \/tmp$/m);
    return stdout
      .replaceAll(new RegExp(`\\b${shell}\\b`, 'g'), 'SHELL')
      .replaceAll(/^(group|session) .*/gm, '');
  };
  const bare = await reported(native);
  assert.match(bare, /^pid SHELL$/m);
  const own = await reported(`$start ${probe}`);
  return own === bare ? 'kept' : `${bare} became ${own}`;
}

async function ending(way: OpenWay): Promise<string> {
  const exit = await way.script(`exec $start ${probe} exit 23`);
  const signal = await way.script(`exec $start ${probe} signal 10`);
  return exit.status === 23 && signal.signal === 'SIGUSR1' ? 'its own' : `${exit.status} ${signal.signal}`;
}

async function payload(way: OpenWay): Promise<string> {
  return (await seen(way, `$start ${packed} report`))['payload'] === 'hello' ? 'found' : 'not found';
}

const again = async (way: OpenWay) => forThose(...(await both(way, 'again')));
const againWiped = async (way: OpenWay) => forThose(...(await both(way, 'again-with-nothing')));

async function children(way: OpenWay): Promise<string> {
  const child = await way.script(`exec $start ${probe} child ${other}`);
  if (child.status === 0 && child.stdout.startsWith('expat_')) return 'their own libraries';
  // They do not start by themselves either.
  const bare = await way.script(`exec ${other}`);
  assert.notEqual(bare.status, 0);
  return child.stdout === bare.stdout ? 'as before' : child.stdout;
}

async function libraryPath(way: OpenWay): Promise<string> {
  const found: (string | undefined)[] = [];
  for (const set of ['', 'LD_LIBRARY_PATH=/nowhere/at/all '])
    for (const through of ['', `${probe} child `]) {
      const last = through ? native : probe;
      found.push((await seen(way, `${set}$start ${through}${last} report`))['library-path']);
    }
  const libraryPathDirs = ['unset', 'unset', '/nowhere/at/all', '/nowhere/at/all'];
  return found.join() === libraryPathDirs.join() ? "the user's" : found.join();
}

async function librariesOfUser(way: OpenWay): Promise<string> {
  const version = (await seen(way, `LD_LIBRARY_PATH=${libraries} $start ${probe} report`))['zlib'];
  return version === 'users' ? 'first' : /^1\./.test(version ?? '') ? 'after the chosen' : `${version}`;
}

async function variables(way: OpenWay): Promise<string> {
  const names = async (words: string) => (await seen(way, `${words} report`))['variables']?.split(' ') ?? [];
  const usual = new Set(await names(native));
  const more = (await names(`$start ${probe}`)).filter((name) => !usual.has(name));
  return more.length === 0 ? 'none' : more.map((name) => `\`${name}\``).join(', ');
}

async function wiped(way: OpenWay): Promise<string> {
  // Planned before, since the resolver shall not be needed.
  await seen(way, `$start ${probe} report`);
  const { status, stdout } = await way.script(`exec -c $start ${probe} report`);
  return status === 0 && stdout.includes('\nzlib 1.') ? 'works' : 'fails';
}

async function strace(way: OpenWay): Promise<string> {
  await seen(way, `$start ${probe} report`);
  const log = path.join(way.homeDir, '..', 'strace');
  const under = [
    'env',
    'PATH=/usr/sbin:/usr/bin:/sbin:/bin',
    'strace',
    '-f',
    '-o',
    log,
    '-e',
    'trace=execve',
  ];
  const report = await seen(way, `exec $start ${probe} report`, { under });
  assert.match(report['zlib'] ?? '', /^1\./);
  const executed = [...readFileSync(log, 'utf8').matchAll(/execve\("([^"]*)".* = 0$/gm)].map(
    ([, file]) => file,
  );
  return nameOf(executed.at(-1) ?? '');
}

async function gdb(way: OpenWay): Promise<string> {
  const debugger_ = way.rig.foreign.find(({ name }) => name === 'gdb')?.path;
  assert.ok(debugger_, 'the rig has gdb');
  const commands = [
    'set startup-with-shell off',
    'set breakpoint pending on',
    'break zlibVersion',
    'run',
    'bt',
    'continue',
  ];
  const words = ['-q', '-nx', '-batch', ...commands.flatMap((each) => ['-ex', `'${each}'`])].join(' ');
  // In a view of the debugger's, every way would be that one.
  const text = `exec ${launcher} --strategy loader ${debugger_} ${words} --args $start ${probe} report`;
  const { stdout, stderr } = await way.script(text);
  // The program that the kernel starts is another than the one whose addresses gdb knows.
  if (/Cannot insert breakpoint/.test(stderr)) return 'fails';
  assert.match(stdout, /^zlib 1\./m, stderr);
  assert.match(stdout, /^#0 .*zlibVersion .*libz\.so\.1/m, stderr);
  return /^#1 .* in report \(/m.test(stdout) ? 'stops' : 'stops, without symbols of the program';
}

/** The rights of a setuid program that it starts: for the user one of root's, for root one of the user's. */
async function setuid(way: OpenWay): Promise<string> {
  const rights = async (file: string, uid: number) =>
    (await seen(way, `$start ${probe} child ${file} report`, { uid }))['rights'];
  // Without the way before it the kernel gives them: else nothing would be said by this.
  assert.equal((await seen(way, `${ofRoot} report`))['rights'], '0');
  assert.equal(await rights(ofUser, 0), String(USER));
  return (await rights(ofRoot, USER)) === '0' ? 'as before' : 'no rights, but for root';
}

/** Started by another user with that one's environment, as by sudo. */
async function bySudo(way: OpenWay): Promise<string> {
  const env = { NIX_LD: undefined };
  const { status, stdout } = await way.script(`exec $start ${probe} report`, { uid: 0, env });
  return status === 0 && stdout.includes('\nzlib 1.') ? 'works' : 'fails';
}

async function owners(way: OpenWay): Promise<string> {
  const owner = async (uid: number) => (await seen(way, `$start ${probe} report`, { uid }))['owner'];
  assert.equal(await owner(0), '0');
  return (await owner(USER)) === '0' ? 'as before' : "look like nobody's, but for root";
}

/** What a file system that it mounts is to processes outside. */
async function mounts(way: OpenWay): Promise<string> {
  const place = path.dirname(probe);
  const seen = `while read -r line; do [[ $line == *' of-probe '* ]] && echo seen; done < /proc/self/mountinfo`;
  const { stdout, stderr } = await way.script(`$start ${probe} mount ${place} && echo mounted; ${seen}`, {
    uid: 0,
  });
  assert.match(stdout, /^mounted$/m, stderr);
  return /^seen$/m.test(stdout) ? 'seen outside' : 'seen inside only';
}

/** What ptrace(2) asks before, too: may it look at a process of its user's that it did not start? */
async function outside(way: OpenWay): Promise<string> {
  const looks = async (uid: number) =>
    (await way.script(`$start ${probe} exe-of /proc/$$/exe && echo seen`, { uid })).stdout;
  assert.equal(await looks(0), 'seen\n');
  return (await looks(USER)) === 'seen\n' ? 'as before' : 'closed, but for root';
}

/** What the kernel keeps over an execve of a program that has no rights of its own, as for a service. */
async function ambient(way: OpenWay): Promise<string> {
  const given = `${ofRoot} with-ambient`;
  assert.match((await seen(way, `${given} ${native} report`))['ambient'] ?? '', /^0+400$/);
  const before = await seen(way, `$start ${probe} report`);
  const during = await seen(way, `exec ${given} $start ${probe} report`);
  const same = during['owner'] === before['owner'] && during['exe'] === before['exe'];
  if (!same) await way.plan(probe); // what was found then stays
  return `${/^0+400$/.test(during['ambient'] ?? '') ? 'kept' : 'lost'}${same ? '' : ', by another way'}`;
}

/** The first words of each row, and how its cells come about. */
export const observations: Readonly<Record<string, (way: OpenWay) => Promise<string>>> = {
  '`/proc/self/exe`': itself,
  '`/proc/self/comm`, what `ps` shows': comm,
  '`argv[0]`': argv0,
  'process id, working directory, umask, limits, descriptors, ignored signals': state,
  'exit status, fatal signal': ending,
  'what is appended to the program': payload,
  'it starts itself again by `/proc/self/exe`': again,
  'the same with an empty environment': againWiped,
  'foreign children, no prefix': children,
  "`LD_LIBRARY_PATH` in its and its children's environment": libraryPath,
  'libraries of `LD_LIBRARY_PATH`': librariesOfUser,
  'new variables in its environment': variables,
  '`env -i`': wiped,
  'ptrace: what strace sees executed last': strace,
  'gdb: a breakpoint in a library': gdb,
  'started by sudo': bySudo,
  'setuid children (sudo)': setuid,
  'ambient capabilities (systemd)': ambient,
  'files of other users': owners,
  'file systems that it mounts, as root': mounts,
  'looking at own processes outside (ptrace, `/proc/PID/exe`)': outside,
};
