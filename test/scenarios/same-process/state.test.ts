// What a foreign program can notice of its process is what a static one started without us notices, hit or miss.
import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { type Edits, processStates } from '../../launch/launcher/process-states.ts';
import { ensureRig } from '../../rig/rig.ts';
import { homeInRoot } from '../../rig/root.ts';
import { compile } from '../compile.ts';
import { onHost } from '../foreign-files.ts';
import { planFiles } from '../kept-state.ts';
import { launcher, openToolRoot, type ToolRoot } from '../tool.ts';

const rig = await ensureRig('full');
const sources = path.resolve(import.meta.dirname, '../../launch/launcher/programs');
const place = path.join(homeInRoot, 'same');
const [startWith, still, report, output, gone] = ['start-with', 'static', 'report', 'output', 'gone'].map(
  (name) => path.join(place, name),
) as [string, string, string, string, string];

function furnish(root: ToolRoot): void {
  const source = (name: string) => readFileSync(path.join(sources, `${name}.c`), 'utf8');
  compile(onHost(root, startWith), source('start-with'), ['-w', '-static']);
  compile(onHost(root, still), source('report-state'), ['-w', '-static']);
  compile(onHost(root, report), source('report-state'), ['-w']);
  copyFileSync(onHost(root, report), onHost(root, path.join(place, 'multi-call')));
}

/** The report without what must differ: process ids, the programs' paths, the documented variables of nix-ld. */
function comparable(text: string, program: string): string {
  const own = /^pid (\d+)$/m.exec(text)?.[1] ?? '?';
  return text
    .replaceAll(new RegExp(`^(pid|pgid) ${own}$`, 'gm'), '$1 OWN')
    .replaceAll(/^(ppid|pgid|sid) \d+$/gm, '$1 OTHER')
    .replaceAll(/^(execfn|exe) .*\n/gm, '')
    .replaceAll(/^env \d+ NIX_LD\w*=.*\n/gm, '')
    .replaceAll(/^env \d+ /gm, 'env ')
    .replaceAll(/(pipe|socket):\[\d+\]/g, '$1')
    .replaceAll(program, 'PROGRAM');
}

for (const interpreter of ['none', 'nix-ld'] as const) {
  const root = await openToolRoot(rig, { interpreter });
  furnish(root);

  const reportOf = async (edits: Edits, words: readonly string[], program: string) => {
    rmSync(onHost(root, gone), { recursive: true, force: true });
    mkdirSync(onHost(root, gone));
    rmSync(onHost(root, output), { force: true });
    const outcome = await root.run({
      argv: [startWith, ...edits.map(String), '--', ...words, program, output, '23', 'a b', '', '--x'],
    });
    assert.deepEqual([outcome.status, outcome.stdout, outcome.stderr], [23, '', '']);
    return comparable(readFileSync(onHost(root, output), 'utf8'), program);
  };

  test(`bare it does not start, interpreter: ${interpreter}`, async () => {
    assert.notEqual((await root.bare(report, [output, '23'])).status, 23);
    assert.equal((await root.start([report, output, '23'])).status, 23);
  });

  for (const [name, edits] of Object.entries(processStates(gone, 64)))
    test(`${name}, interpreter: ${interpreter}`, async () => {
      const plain = await reportOf(edits, [], still);
      for (const file of planFiles(root)) rmSync(file);
      assert.equal(await reportOf(edits, [launcher], report), plain, 'miss');
      assert.equal(await reportOf(edits, [launcher], report), plain, 'hit');
    });

  test(`a name on PATH is argv[0] as typed, interpreter: ${interpreter}`, async () => {
    const settings = { env: { PATH: `/nowhere:${place}` } };
    assert.equal((await root.start(['multi-call', output], settings)).status, 0);
    assert.match(readFileSync(onHost(root, output), 'utf8'), /^argv 0 multi-call\n/m);
  });
}
