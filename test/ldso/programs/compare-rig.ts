// Run where /nix is the rig's: its foreign programs and its own executables, with several loaders and library paths.
import { mkdtempSync, readdirSync, realpathSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { elfFileAt } from '../../../src/elf/open-elf.ts';
import { ensureRig } from '../../rig/rig.ts';
import { sampled } from '../../sample.ts';
import { compareProgram, emptyTally, programsIn } from '../compare-programs.ts';
import { glibcLoader } from '../real-loader.ts';

const rig = await ensureRig('full');
const tally = emptyTally();
const farm = mkdtempSync(join(tmpdir(), 'loader-farm-'));

/** One link per library, the first directory that has it wins; the C library's own are left out. */
function growFarm(name: string, directories: readonly string[]): string {
  const place = mkdtempSync(join(farm, `${name}-`));
  const seen = new Set<string>();
  for (const directory of directories) {
    for (const file of readdirSync(directory)) {
      if (!file.includes('.so') || seen.has(file)) continue;
      seen.add(file);
      symlinkSync(join(directory, file), join(place, file));
    }
  }
  return place;
}

const loaders = [...new Set(rig.foreign.map(({ loader }) => loader))].map(glibcLoader);
for (const { path, name, architecture, loader: own, libraryDirectories } of sampled(rig.foreign, 5)) {
  const wanted = architecture === 'amd64' ? 64 : 32;
  for (const loader of loaders.filter(({ elf }) => elf.class === wanted)) {
    const others = libraryDirectories.slice(0, -1);
    const paths = [
      '',
      libraryDirectories.join(':'),
      libraryDirectories.toReversed().join(';'),
      growFarm(name, others),
      `${growFarm(name, others)}:${libraryDirectories.at(-1)}`,
    ];
    for (const libraryPath of loader.path === own ? paths : paths.slice(0, 2)) {
      compareProgram(tally, loader, realpathSync(path), libraryPath);
    }
  }
}

for (const object of sampled(readdirSync(rig.storeDir).sort(), 6)) {
  const bin = join(rig.storeDir, object, 'bin');
  if (!statSync(bin, { throwIfNoEntry: false })?.isDirectory()) continue;
  for (const loader of loaders) {
    for (const program of programsIn(bin, loader)) {
      const own = elfFileAt(program)?.interpreter;
      compareProgram(tally, loader, program, '');
      if (own !== undefined && own === loader.path)
        compareProgram(tally, loader, program, '/nowhere:/usr/lib');
    }
  }
}

rmSync(farm, { recursive: true });
process.stdout.write(JSON.stringify(tally));
