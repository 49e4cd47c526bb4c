// A shown directory that somebody changed → its entries again, also by several at once, and stand-ins as the same files.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  lstatSync,
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
import { linkTo, makeViewDirectory, type Shown, type ViewDirectory } from '../../src/view/view-directory.ts';
import { asRoot } from '../launcher/tool-fixture.ts';

const place = mkdtempSync(path.join(tmpdir(), 'view-directory-'));
after(() => rmSync(place, { recursive: true }));

function viewOf(name: string, count = 3): ViewDirectory {
  const links = Array.from({ length: count }, (_, at): [string, Shown] => [`link${at}`, linkTo(`/to/${at}`)]);
  const entries: [string, Shown][] = [
    ...links,
    ['ldd', { kind: 'script', text: '#!/x\n' }],
    ['sh', { kind: 'stand-in' }],
  ];
  return { directory: path.join(place, name), entries };
}

/** Type, mode, and what is in it, by name. */
function stateOf({ directory }: ViewDirectory): string[] {
  return readdirSync(directory).map((name) => {
    const file = path.join(directory, name);
    const stats = lstatSync(file);
    return `${name} ${stats.isFile() ? `${(stats.mode & 0o777).toString(8)} ${readFileSync(file, 'utf8')}` : 'link'}`;
  });
}

test('links, scripts, stand-ins and the directory itself are as they were', () => {
  const view = viewOf('one');
  makeViewDirectory(view);
  const before = stateOf(view);
  const at = (name: string) => path.join(view.directory, name);
  const { ino } = lstatSync(at('sh'));
  rmSync(at('link0'));
  rmSync(at('link1'));
  mkdirSync(at('link1/deep'), { recursive: true });
  chmodSync(at('ldd'), 0o000);
  chmodSync(at('sh'), 0o755);
  writeFileSync(at('sh'), 'other');
  symlinkSync('/x', at('more'));
  chmodSync(view.directory, 0o700);
  makeViewDirectory(view);
  assert.deepEqual(stateOf(view), before);
  assert.equal(lstatSync(view.directory).mode & 0o777, 0o755);
  assert.equal(lstatSync(at('sh')).ino, ino, 'a mount over it would be lost');
});

function withoutLinks({ directory, entries }: ViewDirectory): void {
  for (const [name] of entries) if (name.startsWith('link')) rmSync(path.join(directory, name));
}

async function mendAtOnce(name: string, damage: (view: ViewDirectory) => void): Promise<void> {
  const view = viewOf(name, 300);
  makeViewDirectory(view);
  const before = stateOf(view);
  damage(view);
  const module = path.resolve(import.meta.dirname, '../../src/view/view-directory.ts');
  // Processes, as there are: temporary names of threads of one process are the same.
  const text = `import(${JSON.stringify(module)}).then((m) => m.makeViewDirectory(JSON.parse(process.argv[1])))`;
  const ends = Array.from({ length: 4 }, () => {
    const child = spawn(process.execPath, ['-e', text, JSON.stringify(view)], { stdio: 'inherit' });
    return new Promise<unknown>((resolve) => child.once('error', resolve).once('close', resolve));
  });
  assert.deepEqual(await Promise.all(ends), [0, 0, 0, 0]);
  assert.deepEqual(stateOf(view), before);
  assert.equal(lstatSync(view.directory).uid, process.geteuid?.());
}

test('several mend it at once', async () => {
  await mendAtOnce('many', withoutLinks);
});

test('several meet a directory of somebody else at once', asRoot, async () => {
  for (const round of [1, 2, 3, 4])
    await mendAtOnce(`theirs-${round}`, ({ directory }) => chownSync(directory, 65534, 65534));
});

test('a directory of somebody else, and a link in its place, give way to one of ours', asRoot, () => {
  const view = viewOf('others');
  makeViewDirectory(view);
  const before = stateOf(view);
  chownSync(view.directory, 65534, 65534);
  makeViewDirectory(view);
  const isOurs = () => lstatSync(view.directory).isDirectory() && lstatSync(view.directory).uid === 0;
  assert.deepEqual([isOurs(), stateOf(view)], [true, before]);
  rmSync(view.directory, { recursive: true });
  symlinkSync('/nowhere', view.directory);
  makeViewDirectory(view);
  assert.deepEqual([isOurs(), stateOf(view)], [true, before]);
  assert.deepEqual(
    readdirSync(place).filter((name) => name.startsWith('.')),
    [],
  );
});
