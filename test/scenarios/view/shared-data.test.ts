// Each row of the table of shared data: libraries of another Linux find it by the paths that they were built with.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { SHARED_DATA } from '../../../src/view/shown-data.ts';
import { needTool } from '../../launcher/tool-fixture.ts';
import { ensureRig } from '../../rig/rig.ts';
import { homeInRoot } from '../../rig/root.ts';
import { onHost } from '../foreign-files.ts';
import type { ToolRoot } from '../tool.ts';
import { giveHome, openViewRoot, putProgram, USER } from './view-root.ts';

const rig = await ensureRig('full');
const SOURCE = readFileSync(path.join(import.meta.dirname, 'reads-shared-data.c'), 'utf8');
const scratch = mkdtempSync(path.join(tmpdir(), 'nix-run-foreign-shared-'));
after(() => rmSync(scratch, { recursive: true, force: true }));
chmodSync(scratch, 0o755);

/** Debian's data: package, a file of it, what is copied. */
const DEBIAN: Readonly<Record<string, readonly [string, string]>> = {
  zoneinfo: ['tzdata', '/usr/share/zoneinfo/Europe'],
  xkb: ['xkb-data', '/usr/share/X11/xkb'],
  compose: ['libx11-data', '/usr/share/X11/locale'],
  errors: ['libx11-data', '/usr/share/X11/XErrorDB'],
  fonts: ['fonts-dejavu-core', '/usr/share/fonts/truetype/dejavu'],
  cursors: ['adwaita-icon-theme', '/usr/share/icons/Adwaita/cursors'],
  terminfo: ['ncurses-base', '/lib/terminfo/x'],
  locale: ['libc-bin', '/usr/lib/locale/C.utf8'],
  certificates: ['ca-certificates', '/etc/ssl/certs/ca-certificates.crt'],
};

function copy(data: keyof typeof DEBIAN, to: string): void {
  const [debian = '', from = ''] = DEBIAN[data] ?? [];
  needTool(from, debian);
  cpSync(from, to, { recursive: true, dereference: true });
}

const MESSAGES =
  'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\nmsgid "missing"\nmsgstr "da"\n';

/** What the profile of a NixOS has, in `share` and `lib`. */
function furnishProfile(profile: string): void {
  const share = path.join(profile, 'share');
  copy('zoneinfo', path.join(share, 'zoneinfo/Europe'));
  copy('xkb', path.join(share, 'X11/xkb'));
  copy('compose', path.join(share, 'X11/locale'));
  copy('errors', path.join(share, 'X11/XErrorDB'));
  mkdirSync(path.join(share, 'X11/app-defaults'));
  writeFileSync(path.join(share, 'X11/app-defaults/Probe'), '');
  copy('fonts', path.join(share, 'X11/fonts'));
  copy('cursors', path.join(share, 'icons/Adwaita/cursors'));
  copy('terminfo', path.join(share, 'terminfo/x'));
  copy('locale', path.join(profile, 'lib/locale/xx_YY.utf8'));
  copy('certificates', path.join(share, 'ca-certificates/ca-bundle.crt'));
  mkdirSync(path.join(share, 'mime'));
  writeFileSync(path.join(share, 'mime/globs2'), '50:application/x-frob:*.frob\n');
  const messages = path.join(share, 'locale/xx/LC_MESSAGES');
  mkdirSync(messages, { recursive: true });
  needTool('/usr/bin/msgfmt', 'gettext');
  execFileSync('msgfmt', ['-o', path.join(messages, 'probe.mo'), '-'], { input: MESSAGES });
}

/** What NixOS has for its graphics driver. */
function furnishDriver(share: string): void {
  for (const directory of ['vulkan/icd.d', 'glvnd/egl_vendor.d']) {
    mkdirSync(path.join(share, directory), { recursive: true });
    writeFileSync(path.join(share, directory, 'probe.json'), '{}');
  }
}

/** What the store has, where no profile has it: objects as nixpkgs has them. */
async function furnishStore(root: ToolRoot): Promise<void> {
  const objects = path.join(homeInRoot, 'objects');
  copy('zoneinfo', onHost(root, path.join(objects, 'tzdata-2026a/share/zoneinfo/Europe')));
  copy('xkb', onHost(root, path.join(objects, 'xkeyboard-config-2.46/share/X11/xkb')));
  copy('certificates', onHost(root, path.join(objects, 'nss-cacert-3.120/etc/ssl/certs/ca-bundle.crt')));
  copy('zoneinfo', onHost(root, path.join(objects, 'tzdata-2025b/share/zoneinfo/Europe')));
  for (const [data, name] of Object.entries({ compose: 'locale', errors: 'XErrorDB' }))
    copy(data, onHost(root, path.join(objects, 'libx11-1.8.12/share/X11', name)));
  mkdirSync(onHost(root, path.join(objects, 'libx11-1.8.12-dev')));
  for (const name of readdirSync(onHost(root, objects))) {
    const add = await root.run({ argv: [`${rig.nixBin}/nix-store`, '--add', path.join(objects, name)] });
    assert.equal(add.status, 0, add.stderr);
  }
  rmSync(onHost(root, objects), { recursive: true });
}

function answers(stdout: string): Map<string, string> {
  const lines = stdout.trim().split('\n');
  return new Map(lines.map((line) => line.split(' ') as [string, string]));
}

/** Without a view each is missing, so nothing of it lies where the libraries look otherwise. */
async function assertFound(root: ToolRoot, program: string, places: readonly string[]): Promise<void> {
  const without = await root.start(['--strategy', 'loader', program]);
  const all = SHARED_DATA.map(({ place }) => place).sort();
  assert.deepEqual([...answers(without.stdout).keys()].sort(), all, without.stderr);
  for (const [place, answer] of answers(without.stdout)) assert.equal(answer, 'missing', place);
  for (const start of [root.start, root.startHit]) {
    const { stdout, stderr } = await start(
      ['--strategy', 'view', program].slice(start === root.start ? 0 : 2),
    );
    for (const place of places) assert.equal(answers(stdout).get(place), 'found', `${place}\n${stderr}`);
  }
}

const profile = path.join(scratch, 'run');
furnishProfile(path.join(profile, 'current-system/sw'));
furnishDriver(path.join(profile, 'opengl-driver/share'));
// What single packages bring: no whole keyboard map is in it.
const partial = path.join(scratch, 'run-of-parts');
for (const each of ['xkb/symbols', 'locale/xx'])
  mkdirSync(path.join(partial, 'current-system/sw/share/X11', each), { recursive: true });

/** As NixOS makes its setuid programs. */
function boot(name: string): void {
  const wrappers = path.join(profile, 'wrappers');
  rmSync(wrappers, { recursive: true, force: true });
  mkdirSync(path.join(wrappers, name), { recursive: true });
  writeFileSync(path.join(wrappers, name, 'sudo'), '#!/bin/sh\n', { mode: 0o755 });
  symlinkSync(`/run/wrappers/${name}`, path.join(wrappers, 'bin'));
}

for (const uid of [0, USER]) {
  const binds = [{ from: profile, to: '/run', mode: 'read-only' }] as const;
  const ofSystem = await openViewRoot(rig, { interpreter: 'stub-ld', uid, binds });
  const without = [{ from: partial, to: '/run', mode: 'read-only' }] as const;
  const bare = await openViewRoot(rig, { interpreter: 'none', uid, binds: without });
  const [program = ''] = [ofSystem, bare].map((root) =>
    putProgram(root, 'bin/reads', SOURCE, ['-w', '-ldl']),
  );
  for (const root of [ofSystem, bare]) giveHome(root, uid);

  test(`user ${uid}: from the system profile and the driver, each of the table`, async () => {
    const places = SHARED_DATA.map(({ place }) => place);
    await assertFound(ofSystem, program, places);
  });

  test(`user ${uid}: what a boot makes anew leaves the plan as it is`, async () => {
    const env = { PATH: `/run/wrappers/bin:${path.dirname(rig.bash)}` };
    boot('wrappers.first');
    const planned = await ofSystem.start(['--strategy', 'view', program], { env });
    assert.equal(planned.status, 0, planned.stderr);
    boot('wrappers.second');
    assert.equal((await ofSystem.startHit([program], { env })).status, 0);
  });

  test(`user ${uid}: from the store, where no profile has it`, async () => {
    await furnishStore(bare);
    const places = SHARED_DATA.filter(({ object }) => object !== undefined).map(({ place }) => place);
    assert.equal(places.length, 5);
    await assertFound(bare, program, places);
  });

  test(`user ${uid}: what the store has lost since is taken from elsewhere`, async () => {
    const text = `for each in /nix/store/*-tzdata-2026a; do ${rig.nixBin}/nix-store --delete "$each"; done`;
    const { status, stderr } = await bare.run({ argv: [rig.bash, '-c', text] });
    assert.equal(status, 0, stderr);
    const { stdout } = await bare.start([program]);
    assert.equal(answers(stdout).get('/usr/share/zoneinfo'), 'found');
  });
}
