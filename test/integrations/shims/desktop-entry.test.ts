// A vendor's desktop entry → what of it changes, and what stays byte for byte.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { rewriteEntry, shimOfEntry } from '../../../src/integrations/shims/desktop-entry.ts';
import { addDesktopEntries, removeDesktopEntries } from '../../../src/integrations/shims/desktop-files.ts';
import { writeShim } from '../../../src/integrations/shims/shim-file.ts';
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
  const places = { shims: at('data/shims'), names: at('data/names'), applications: at('data/applications') };
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
  const places = { shims: at('d2/shims'), names: at('d2/names'), applications: at('d2/applications') };
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
