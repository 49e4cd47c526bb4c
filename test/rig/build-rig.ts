// A level and a directory → the rig built there: packages fetched, store built by Nix, programs laid out, all recorded.
import { chmodSync, mkdirSync, mkdtempSync, renameSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { describeProgram, findPrograms } from './foreign.ts';
import { closureOf, type Package } from './packages/closure.ts';
import { download, unpack, unpackedName } from './packages/fetch.ts';
import { type PrivateApt, preparePrivateAptWithNewerKeys } from './packages/private-apt.ts';
import { type Level, type Selection, type Suite, selections } from './packages/selection.ts';
import { say, sayDone } from './progress.ts';
import type { Rig, StoreObject } from './rig.ts';
import { mergeCycles, providersOf } from './store/providers.ts';
import { realise, rootPaths } from './store/realise.ts';
import { type PlannedObject, planObjects } from './store/store-object.ts';
import { planEnterRoot, planNode } from './store/tools.ts';

/** Builds in a temporary sibling and renames it to `dir` when it is complete. */
export async function buildRig(level: Level, dir: string): Promise<void> {
  mkdirSync(dirname(dir), { recursive: true });
  const temporary = mkdtempSync(`${dir}.building-`);
  chmodSync(temporary, 0o755);
  try {
    const rig = await buildIn(temporary, level, dir);
    const text = JSON.stringify(rig, (_, value) => (value instanceof RegExp ? value.source : value), 1);
    writeFileSync(join(temporary, 'versions.txt'), rig.versions.map((v) => `${v}\n`).join(''));
    writeFileSync(join(temporary, 'rig.json'), text);
    // Not at one go: the lock is to be touched meanwhile, or others take it for a dead process's.
    await rm(dir, { recursive: true, force: true });
    renameSync(temporary, dir);
    sayDone(
      `the ${level} rig is ready: ${rig.storeObjects.length} store objects, ${rig.foreign.length} programs`,
    );
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

async function buildIn(temporary: string, level: Level, dir: string): Promise<Rig> {
  const selection = selections[level];
  const machine = level === 'arm64' ? 'arm64' : 'amd64';
  const sources = join(temporary, 'nix', 'rig-sources');
  const fetched = await fetchAll(selection, join(dirname(dir), 'apt'));
  await unpack(fetched, sources);
  const packages = [...fetched.keys()];
  const named = ({ name, architecture }: Package) =>
    architecture === 'amd64' ? name : `${name}:${architecture}`;
  const withPrograms = new Set(packages.filter((p) => selection.executables[p.suite]?.includes(named(p))));
  say('reading shared objects');
  const found = await findPrograms(selection.programs, packages, sources);
  const planned = mergeCycles([
    ...(await planObjects(packages, sources, withPrograms)),
    await planNode(sources, machine),
    await planEnterRoot(sources),
  ]);
  const environment = planned.filter((o) => o.kind === 'executables' && o.group.startsWith('bookworm:'));
  const { paths, environmentPath } = await realise(planned, environment, temporary);
  const storePath = (object: PlannedObject) => paths.get(object) ?? '';
  const path = (key: string) => storePath(only(planned, key));
  const saved = planned.filter((o) => o.kind === 'executables').map(storePath);
  rootPaths(temporary, environmentPath, saved);

  for (const p of new Set(found.map((each) => each.package))) {
    const to = join(temporary, 'foreign', unpackedName(p));
    mkdirSync(dirname(to), { recursive: true });
    renameSync(join(sources, unpackedName(p)), to);
  }
  for (const leftover of ['nix/rig-sources', 'nix/rig.nix', 'scratch']) {
    await rm(join(temporary, leftover), { recursive: true, force: true });
  }
  const nixes = packages.filter((p) => p.name === 'nix-bin');
  const foreignDirectory = join(dir, 'foreign');
  return {
    level,
    dir,
    nixDir: join(dir, 'nix'),
    storeDir: '/nix/store',
    node: `${path(`bookworm:${machine}:nodejs-of-the-project`)}/bin/node`,
    nixBin: `${path('bookworm:amd64:nix-bin')}/bin`,
    nixVersions: nixes
      .map((p) => ({
        version: p.version.replace(/[-+].*/, ''),
        bin: `${path(`${p.suite}:amd64:nix-bin`)}/bin`,
      }))
      .sort((a, b) => a.version.localeCompare(b.version, 'en', { numeric: true })),
    bash: `${path(`bookworm:${machine}:bash`)}/bin/bash`,
    enterRoot: `${path('tools:static:enter-root')}/bin/enter-root`,
    foreign: found.map((each) => describeProgram(each, foreignDirectory, providersOf(planned), storePath)),
    storeObjects: planned.map((object) => describeObject(object, storePath(object))),
    versions: packages.map((p) => `${p.suite} ${p.name} ${p.architecture} ${p.version}`).sort(),
  };
}

async function fetchAll(selection: Selection, aptDirectory: string): Promise<Map<Package, string>> {
  const apts = new Map<Suite, Promise<PrivateApt>>();
  const aptOf = (suite: Suite): Promise<PrivateApt> => {
    const trusted = () => aptOf('bookworm');
    const apt = apts.get(suite) ?? preparePrivateAptWithNewerKeys(suite, join(aptDirectory, suite), trusted);
    apts.set(suite, apt);
    return apt;
  };
  const files = new Map<Package, string>();
  for (const suite of ['bookworm', 'bullseye', 'trixie', 'sid'] as const) {
    const names = [
      ...selection.programs.filter((p) => p.suite === suite).map((p) => p.package),
      ...(selection.libraries[suite] ?? []),
      ...(selection.executables[suite] ?? []),
    ];
    if (names.length === 0) continue;
    say(`${suite}: reading package lists`);
    const apt = await aptOf(suite);
    const packages = await closureOf(apt, [...new Set(names)]);
    for (const [p, file] of await download(apt, packages)) files.set(p, file);
  }
  return files;
}

function only(planned: readonly PlannedObject[], key: string): PlannedObject {
  const object = planned.find((o) => o.key.split('+').includes(key) || o.key === key);
  if (!object) throw new Error(`the rig lacks ${key}`);
  return object;
}

function describeObject(object: PlannedObject, path: string): StoreObject {
  const targets = [...object.files.values(), ...object.links.keys()].filter((t) => t.startsWith('lib/'));
  const [suite = '', architecture = ''] = object.group.split(':');
  return { path, suite, architecture, provides: [...new Set(targets.map((t) => basename(t)))].sort() };
}
