// A vendor's desktop entry → what of it changes, and what stays byte for byte.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { rewriteEntry, shimOfEntry } from '../../../src/integrations/shims/desktop-entry.ts';
import { addDesktopEntries, removeDesktopEntries } from '../../../src/integrations/shims/desktop-files.ts';
import { type ShimDirectories, writeShim } from '../../../src/integrations/shims/shim-file.ts';
import { needTool } from '../../launcher/tool-fixture.ts';
import { scratchDirectory } from '../../store/compiled-library.ts';

needTool('desktop-file-validate', 'desktop-file-utils');
const scratch = scratchDirectory();
const at = (...names: string[]): string => path.join(scratch, ...names);

const vendor = `# kept
[Desktop Entry]
Type=Application
Version=1.4
Name=Vendor App
Name[de]=Programm
TryExec=vendor-app
Exec=vendor-app %U
Icon=vendor-app
Path=.
DBusActivatable=true
StartupWMClass=Vendor
Actions=new;other;

[Desktop Action new]
Name=New window
Exec=/opt/vendor/vendor-app --new-window
Icon=document-new

[Desktop Action other]
Name=Something else
Exec=xdg-open https://example.org/

[X-Unknown]
Exec=vendor-app
`;

const edits = {
  shim: '/home/me/my shims/vendor-app',
  name: 'vendor-app',
  isProgram: (named: string) => path.basename(named) === 'vendor-app',
  icon: (named: string) => (named === 'vendor-app' ? '/opt/vendor/vendor-app.png' : named),
  directory: (named: string) => path.resolve('/opt/vendor', named),
};

test('what starts the program starts the shim; all else stays', () => {
  const { text, started } = rewriteEntry(vendor, edits);
  assert.equal(started, 2);
  const expected = vendor
    .replace('[Desktop Entry]\n', '[Desktop Entry]\nX-Nix-Run-Foreign-Shim=vendor-app\n')
    .replace('TryExec=vendor-app', 'TryExec=/home/me/my shims/vendor-app')
    .replace('Exec=vendor-app %U', 'Exec="/home/me/my shims/vendor-app" %U')
    .replace('Icon=vendor-app', 'Icon=/opt/vendor/vendor-app.png')
    .replace('Path=.', 'Path=/opt/vendor')
    .replace('DBusActivatable=true', 'DBusActivatable=false')
    .replace('Exec=/opt/vendor/vendor-app --new', 'Exec="/home/me/my shims/vendor-app" --new');
  assert.equal(text, expected);
  assert.deepEqual(rewriteEntry(text, edits).text.split('X-Nix-Run-Foreign-Shim').length, 2);
  assert.equal(shimOfEntry(text), 'vendor-app');
  assert.equal(shimOfEntry(vendor), undefined);
});

const placesIn = (data: string): ShimDirectories => ({
  shims: at(data, 'shims'),
  names: at(data, 'names'),
  applications: at(data, 'applications'),
  icons: at(data, 'icons'),
});

function putVendor(): { program: string; entry: string } {
  const program = at('opt/vendor/bin/vendor-app');
  const entry = at('opt/vendor/share/applications/org.vendor.App.desktop');
  for (const file of [program, entry, at('opt/vendor/share/icons/hicolor/64x64/apps/vendor-app.png')])
    mkdirSync(path.dirname(file), { recursive: true });
  for (const size of ['64x64', '256x256', 'scalable'])
    mkdirSync(at(`opt/vendor/share/icons/hicolor/${size}/apps`), { recursive: true });
  for (const size of ['64x64', '256x256'])
    writeFileSync(at(`opt/vendor/share/icons/hicolor/${size}/apps/vendor-app.png`), '');
  writeFileSync(program, '#!/bin/sh\n', { mode: 0o755 });
  writeFileSync(entry, vendor.replace('/opt/vendor/vendor-app', program));
  return { program, entry };
}

test('found near the program, copied under its own name, valid, and taken away again', () => {
  const { program, entry } = putVendor();
  const places = placesIn('data');
  const shim = writeShim(places, 'vendor-app', { launcher: '/bin/true', program }, 'by-path');
  const copy = path.join(places.applications, 'org.vendor.App.desktop');
  assert.deepEqual(addDesktopEntries(shim, places, undefined), [copy]);
  const text = readFileSync(copy, 'utf8');
  assert.match(text, new RegExp(`^Exec=${shim.file} %U$`, 'm'));
  assert.match(
    text,
    new RegExp(`^Icon=${at('opt/vendor/share/icons/hicolor/256x256/apps/vendor-app.png')}$`, 'm'),
  );
  assert.match(text, /^Exec=xdg-open https/m);
  execFileSync('desktop-file-validate', ['--no-hints', copy], { stdio: 'pipe' });
  assert.deepEqual(addDesktopEntries(shim, places, entry), [copy], 'again');
  writeFileSync(path.join(places.applications, 'own.desktop'), vendor);
  assert.deepEqual(removeDesktopEntries('vendor-app', places), [copy]);
  assert.equal(readFileSync(path.join(places.applications, 'own.desktop'), 'utf8'), vendor);
});

test("the user's own entry of that name stays, and an entry of another program is refused", () => {
  const { program, entry } = putVendor();
  const places = placesIn('d2');
  const shim = writeShim(places, 'vendor-app', { launcher: '/bin/true', program }, 'by-path');
  mkdirSync(places.applications, { recursive: true });
  const own = path.join(places.applications, path.basename(entry));
  writeFileSync(own, vendor);
  assert.throws(() => addDesktopEntries(shim, places, entry), { code: 'taken' });
  assert.equal(readFileSync(own, 'utf8'), vendor);
  rmSync(own);
  mkdirSync(path.join(own, 'kept'), { recursive: true });
  assert.throws(() => addDesktopEntries(shim, places, entry), { code: 'taken' }, 'a directory');
  assert.ok(existsSync(path.join(own, 'kept')));
  const other = at('other.desktop');
  writeFileSync(other, vendor.replaceAll('vendor-app', 'another'));
  assert.throws(() => addDesktopEntries(shim, places, other), { code: 'no-desktop-entry' });
  assert.throws(() => addDesktopEntries(shim, places, at('nowhere.desktop')), { code: 'no-desktop-entry' });
});

test('an entry that the vendor put into the menu itself gives way to one elsewhere, else it is told', () => {
  const program = at('local/bin/vendor-app');
  const places = { ...placesIn('local/share'), applications: at('local/share/applications') };
  for (const directory of [path.dirname(program), places.applications])
    mkdirSync(directory, { recursive: true });
  writeFileSync(program, '#!/bin/sh\n', { mode: 0o755 });
  const shim = writeShim(places, 'vendor-app', { launcher: '/bin/true', program }, 'by-path');
  const inMenu = path.join(places.applications, 'app.desktop');
  writeFileSync(inMenu, vendor.replace('/opt/vendor/vendor-app', program));
  for (const given of [undefined, inMenu])
    assert.throws(() => addDesktopEntries(shim, places, given), {
      code: 'taken',
      message: `${inMenu} starts ${program} and is in the menu already`,
      hint: 'move it elsewhere and name it: nix-foreign shim add PROGRAM --desktop-file FILE',
    });
  const elsewhere = at('moved/app.desktop');
  mkdirSync(path.dirname(elsewhere));
  renameSync(inMenu, elsewhere);
  assert.deepEqual(addDesktopEntries(shim, places, elsewhere), [inMenu]);
  writeFileSync(path.join(places.applications, 'second.desktop'), `[Desktop Entry]\nExec=${program}\n`);
  const beside = at('local/bin/third.desktop');
  writeFileSync(beside, `[Desktop Entry]\nExec=${program}\n`);
  const third = path.join(places.applications, 'third.desktop');
  assert.deepEqual(addDesktopEntries(shim, places, undefined), [third]);
});

test('of an AppImage the entry in it, whatever it calls the program, with an icon that stays', () => {
  const places = placesIn('d3');
  const program = at('apps/Vendor.AppImage');
  const image = at('unpacked/squashfs-root');
  for (const directory of [path.dirname(program), path.join(image, 'usr/share/pixmaps')])
    mkdirSync(directory, { recursive: true });
  writeFileSync(program, '', { mode: 0o755 });
  const shim = writeShim(places, 'vendor', { launcher: '/bin/true', program }, 'by-path');
  assert.throws(() => addDesktopEntries(shim, places, undefined, image), { code: 'no-desktop-entry' });
  writeFileSync(at('outside.desktop'), vendor);
  symlinkSync(at('outside.desktop'), path.join(image, 'out.desktop'));
  assert.throws(() => addDesktopEntries(shim, places, undefined, image), { code: 'no-desktop-entry' });
  const entry = path.join(image, 'app.desktop');
  writeFileSync(entry, vendor.replace('/opt/vendor/vendor-app', 'vendor-app'));
  writeFileSync(path.join(image, '.DirIcon'), 'icon', { mode: 0o444 });
  const copy = path.join(places.applications, 'app.desktop');
  const kept = (name: string) => path.join(places.icons, 'vendor', name);
  for (const [given, icon] of [
    [undefined, 'DirIcon.png'],
    [entry, 'vendor-app.png'],
  ] as const) {
    assert.deepEqual(addDesktopEntries(shim, places, given, image), [copy]);
    const text = readFileSync(copy, 'utf8');
    assert.match(text, new RegExp(`^TryExec=${shim.file}$`, 'm'));
    assert.match(text, new RegExp(`^Exec=${shim.file} %U$`, 'm'));
    assert.match(text, new RegExp(`^Exec=${shim.file} --new-window$`, 'm'));
    assert.match(text, /^Exec=xdg-open https/m);
    assert.match(text, new RegExp(`^Icon=${kept(icon)}$`, 'm'));
    assert.match(text, /^Icon=document-new$/m);
    assert.equal(readFileSync(kept(icon), 'utf8'), 'icon');
    writeFileSync(path.join(image, 'usr/share/pixmaps/vendor-app.png'), 'icon');
  }
  assert.deepEqual(removeDesktopEntries('vendor', places), [copy]);
  assert.equal(existsSync(path.join(places.icons, 'vendor')), false);
});
