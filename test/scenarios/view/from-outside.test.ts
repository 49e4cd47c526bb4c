// A process in a view and one outside → they meet: by sockets, by files in TMPDIR, by signals and by a debugger.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { needTool } from '../../launcher/tool-fixture.ts';
import { ensureRig } from '../../rig/rig.ts';
import { onHost } from '../foreign-files.ts';
import { launcher } from '../tool.ts';
import { giveHome, openViewRoot, putProgram, USER } from './view-root.ts';

needTool('gdb', 'gdb');
const rig = await ensureRig('full');

/** It answers on a socket below its run-time directory, and on one without a file, as D-Bus and X11 have them. */
const SERVER = `
const { createServer } = require('node:net');
const { writeFileSync } = require('node:fs');
const answers = ['/home/tester/run/bus', '\\0/tmp/.X11-unix/X7'].map((path) =>
  createServer((socket) => socket.end('answered ' + path.replace('\\0', '@') + '\\n')).listen({ path }));
Promise.all(answers.map((each) => new Promise((done) => each.on('listening', done)))).then(() =>
  writeFileSync('/home/tester/run/ready', ''));
setTimeout(() => process.exit(0), 60000);`;

const CLIENT = `
const { connect } = require('node:net');
for (const path of ['/home/tester/run/bus', '\\0/tmp/.X11-unix/X7'])
  connect({ path }).on('error', (error) => console.log(String(error))).pipe(process.stdout);
require('node:fs').writeFileSync(process.env.TMPDIR + '/written', 'inside');`;

const WAITING = `
#include <stdio.h>
#include <unistd.h>
#include <zlib.h>
static const char *own = "/proc/self/exe";
__attribute__((noinline)) void waits_here(void) { sleep(60); }
int main(void) {
  printf("%s %d\\n", zlibVersion(), access(own, R_OK));
  fflush(stdout);
  waits_here();
  return 0;
}`;

/** Of the process with this command line, as the machine counts; the view has process numbers of its root. */
function processOf(command: string): string | undefined {
  const isProcess = (name: string) => /^\d+$/.test(name);
  return readdirSync('/proc')
    .filter(isProcess)
    .find((name) => {
      try {
        return readFileSync(`/proc/${name}/cmdline`, 'latin1') === `${command}\0`;
      } catch {
        return false;
      }
    });
}

async function waitFor(command: string): Promise<string> {
  for (let tries = 0; tries < 300; tries += 1) {
    const found = processOf(command);
    if (found !== undefined && /libz/.test(readFileSync(`/proc/${found}/maps`, 'latin1'))) return found;
    await sleep(100);
  }
  throw new Error(`${command} did not start`);
}

for (const uid of [0, USER]) {
  const root = await openViewRoot(rig, { interpreter: 'none', uid });
  for (const name of ['run', 'temporary']) mkdirSync(onHost(root, `/home/tester/${name}`));
  writeFileSync(onHost(root, '/home/tester/server.cjs'), SERVER);
  writeFileSync(onHost(root, '/home/tester/client.cjs'), CLIENT);
  const program = putProgram(root, `waits-for-${uid}`, WAITING, ['-g', '-lz']);
  giveHome(root, uid);

  test(`user ${uid}: sockets and TMPDIR are the host's`, async () => {
    const inside = `${rig.node} /home/tester/client.cjs; [ -e /.nix-run-foreign-view ] && echo in a view`;
    const text = `${rig.node} /home/tester/server.cjs & server=$!
until [ -e /home/tester/run/ready ]; do read -t 0.1 <> <(:); done
TMPDIR=/home/tester/temporary ${launcher} ${rig.bash} -c '${inside}'
kill $server`;
    const { stdout, stderr } = await root.run({ argv: [rig.bash, '-c', text] });
    assert.deepEqual(
      stdout.trim().split('\n').sort(),
      ['answered /home/tester/run/bus', 'answered @/tmp/.X11-unix/X7', 'in a view'],
      stderr,
    );
    assert.equal(readFileSync(onHost(root, '/home/tester/temporary/written'), 'utf8'), 'inside');
  });

  test(`user ${uid}: a debugger attaches from outside, and a signal ends it`, async () => {
    assert.equal((await root.bare(program)).status, 127);
    assert.match((await root.manage(['resolve', program])).stdout, /strategy view\n$/);
    const running = root.start([program]);
    const id = await waitFor(program);
    const commands = ['set sysroot target:', 'backtrace'].flatMap((each) => ['-ex', each]);
    const shown = execFileSync('gdb', ['-nx', '-batch', '-p', id, ...commands], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    assert.match(shown, /waits_here \(/);
    assert.match(shown, /main \(\)/);
    process.kill(Number(id), 'SIGTERM');
    const { stdout, stderr } = await running;
    assert.match(stdout, /^1\.\S+ 0\n$/, stderr);
  });
}
