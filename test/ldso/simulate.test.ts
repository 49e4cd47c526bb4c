// Small made-up file systems → what a trace tells beside the list: who needed what, how it was found, what was tried.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ElfFile } from '../../src/elf/elf-file.ts';
import type { Errno, Loader, LoaderFiles, Probe } from '../../src/ldso/simulation/request.ts';
import { simulate } from '../../src/ldso/simulation/simulate.ts';
import type { LoadTrace } from '../../src/ldso/simulation/trace.ts';
import { printList } from './print-list.ts';

function object(fields: Partial<ElfFile> = {}): ElfFile {
  return {
    ...{ class: 64, byteOrder: 'little', machine: 62, osAbi: 0, abiVersion: 0, type: 3, dynamic: true },
    ...{ interpreter: undefined, soname: undefined, needed: [], rpath: undefined, runpath: undefined },
    ...{ verneed: [], verdef: [], hasVerdef: false, hasVersym: false, flags: 0, flags1: 0 },
    ...{ auxiliary: [], filter: [], audit: [], hasRelr: false, isaNeeded: 0, stack: 'plain' },
    ...{ hasDebug: false, dlopen: [], end: 1000 },
    ...fields,
  };
}

const loader: Loader = {
  libc: 'glibc',
  path: '/glibc/lib/ld.so',
  elf: object({ soname: 'ld-linux-x86-64.so.2' }),
  settings: {
    version: [2, 40],
    defaultDirectories: ['/glibc/lib'],
    subdirectories: ['glibc-hwcaps/x86-64-v3', 'glibc-hwcaps/x86-64-v2'],
    lib: 'lib',
    platform: 'x86_64',
  },
};

/** Files that are not named are not there; identities are the paths. */
function filesOf(content: Readonly<Record<string, Partial<ElfFile> | Errno>>): LoaderFiles {
  const probe = (path: string): Probe => {
    const found = content[path];
    if (typeof found === 'string') return { kind: 'unopened', errno: found };
    return found
      ? { kind: 'elf', elf: object(found), identity: path }
      : { kind: 'unopened', errno: 'ENOENT' };
  };
  const isDirectory = (path: string) => Object.keys(content).some((each) => each.startsWith(`${path}/`));
  return { probe, isDirectory, workingDirectory: '/' };
}

function start(
  program: Partial<ElfFile>,
  content: Readonly<Record<string, Partial<ElfFile> | Errno>>,
  more: { libraryPath?: string; settings?: Partial<Loader['settings']>; onMissing?: 'note' } = {},
): LoadTrace {
  return simulate({
    program: { path: '/app/program', elf: object({ interpreter: '/lib64/ld.so', ...program }) },
    loader: { ...loader, settings: { ...loader.settings, ...more.settings } },
    libraryPath: more.libraryPath ?? '',
    files: filesOf(content),
    ...(more.onMissing && { onMissing: more.onMissing }),
  });
}

test('every object knows how it was found, where, how deep and for whom', () => {
  const trace = start(
    { needed: ['libb.so', 'liba.so'], runpath: '$ORIGIN/lib' },
    {
      '/app/lib/libb.so': { needed: ['libc.so.6', 'liba.so'], runpath: '/other' },
      '/farm/glibc-hwcaps/x86-64-v2/liba.so': {
        soname: 'liba.so',
        needed: ['liba.so', 'ld-linux-x86-64.so.2'],
      },
      '/farm/liba.so': {},
      '/glibc/lib/libc.so.6': {},
    },
    { libraryPath: '/farm' },
  );
  assert.deepEqual(
    trace.objects.map(({ path, role, depth, found, hwcaps }) => ({ path, role, depth, found, hwcaps })),
    [
      { path: '/app/program', role: 'program', depth: 0, found: { by: 'program' }, hwcaps: undefined },
      {
        path: '/app/lib/libb.so',
        role: 'library',
        depth: 1,
        found: { by: 'runpath', of: '/app/program' },
        hwcaps: undefined,
      },
      {
        path: '/farm/glibc-hwcaps/x86-64-v2/liba.so',
        role: 'library',
        depth: 1,
        found: { by: 'library path' },
        hwcaps: 'glibc-hwcaps/x86-64-v2',
      },
      {
        path: '/glibc/lib/libc.so.6',
        role: 'library',
        depth: 2,
        found: { by: 'default directory' },
        hwcaps: undefined,
      },
      { path: '/glibc/lib/ld.so', role: 'loader', depth: 2, found: { by: 'interpreter' }, hwcaps: undefined },
    ],
  );
  assert.deepEqual(trace.objects[2]?.requests, [
    { name: 'liba.so', from: '/app/program', kind: 'needed', how: 'opened' },
    { name: 'liba.so', from: '/app/lib/libb.so', kind: 'needed', how: 'loaded by name' },
    {
      name: 'liba.so',
      from: '/farm/glibc-hwcaps/x86-64-v2/liba.so',
      kind: 'needed',
      how: 'loaded by name',
    },
  ]);
  assert.equal(trace.status, 0);
});

test('candidates that were passed over are named with the reason', () => {
  const trace = start(
    { needed: ['libx.so'] },
    {
      '/one/libx.so': { class: 32, machine: 3 },
      '/two/libx.so': { machine: 183 },
      '/three/libx.so': 'EACCES',
      '/four/libx.so': {},
    },
    { libraryPath: '/one:/two:/three:/four', settings: { subdirectories: [] } },
  );
  assert.deepEqual(trace.objects[1]?.tried, [
    { path: '/one/libx.so', why: 'wrong class' },
    { path: '/two/libx.so', why: 'wrong machine' },
    { path: '/three/libx.so', why: 'EACCES' },
  ]);
  assert.equal(trace.objects[1]?.path, '/four/libx.so');
});

test('a loop of links ends the list it is in, and the next source is searched', () => {
  const content = { '/one/libx.so': 'ELOOP', '/two/libx.so': {}, '/own/libx.so': {} } as const;
  const trace = start({ needed: ['libx.so'], runpath: '/own' }, content, {
    libraryPath: '/one:/two',
    settings: { subdirectories: [] },
  });
  assert.equal(trace.objects[1]?.path, '/own/libx.so');
});

test('a missing library ends the start, or is noted', () => {
  const content = { '/glibc/lib/libb.so': { needed: ['libnone.so'] } };
  const stopped = start({ needed: ['libnone.so', 'libb.so'] }, content);
  assert.deepEqual(stopped.errors, [
    {
      stage: 'load',
      kind: 'missing',
      about: 'libnone.so',
      neededBy: '/app/program',
      message: 'libnone.so: cannot open shared object file: No such file or directory',
      searched: [{ found: { by: 'default directory' }, directories: ['/glibc/lib'] }],
      tried: [
        { path: '/glibc/lib/glibc-hwcaps/x86-64-v3/libnone.so', why: 'ENOENT' },
        { path: '/glibc/lib/glibc-hwcaps/x86-64-v2/libnone.so', why: 'ENOENT' },
        { path: '/glibc/lib/libnone.so', why: 'ENOENT' },
      ],
    },
  ]);
  assert.deepEqual([stopped.status, stopped.listStatus, printList(stopped)], [127, 127, []]);
  const noted = start({ needed: ['libnone.so', 'libb.so'] }, content, { onMissing: 'note' });
  assert.deepEqual(printList(noted), [
    'libnone.so => not found',
    'libb.so => /glibc/lib/libb.so',
    'libnone.so => not found',
  ]);
});

test('a missing version fails the start with 1, and the list with 0', () => {
  const verneed = [{ file: 'libb.so', versions: [{ name: 'V2', weak: false }] }];
  const versions = { hasVerdef: true, verdef: ['V1'] };
  const trace = start({ needed: ['libb.so'], verneed }, { '/glibc/lib/libb.so': versions });
  assert.deepEqual([trace.status, trace.listStatus], [1, 0]);
  assert.equal(
    trace.errors[0]?.message,
    "/glibc/lib/libb.so: version `V2' not found (required by /app/program)",
  );
});

test('an instruction set that the processor lacks ends a start, not a list, since 2.33', () => {
  const content = { '/glibc/lib/libb.so': { isaNeeded: 8 } };
  const trace = start({ needed: ['libb.so'] }, content);
  assert.deepEqual([trace.status, trace.listStatus], [127, 0]);
  assert.equal(trace.errors[0]?.message, '/glibc/lib/libb.so: CPU ISA level is lower than required');
  assert.equal(start({ needed: ['libb.so'] }, content, { settings: { version: [2, 31] } }).status, 0);
  assert.equal(start({ needed: ['libb.so'] }, { '/glibc/lib/libb.so': { isaNeeded: 4 } }).status, 0);
});

test('relative relocations without the marker, and with a glibc that does not know them', () => {
  const versioned = { hasVerdef: true, verdef: ['GLIBC_2.2.5'] };
  const content = { '/glibc/lib/libc.so.6': versioned };
  const verneed = [{ file: 'libc.so.6', versions: [{ name: 'GLIBC_2.2.5', weak: false }] }];
  const program = { needed: ['libc.so.6'], verneed, hasRelr: true };
  const trace = start(program, content);
  assert.deepEqual([trace.status, trace.listStatus, trace.errors[0]?.kind], [127, 127, 'relr']);
  const older = start(program, content, { settings: { version: [2, 31] } });
  assert.deepEqual(
    older.warnings.map(({ kind }) => kind),
    ['relative relocations', 'unversioned provider'],
  );
  assert.equal(older.status, 0);
});

test('versions needed from a name that nobody asked for are an inconsistency', () => {
  const verneed = [{ file: 'libold.so', versions: [{ name: 'V1', weak: false }] }];
  const content = { '/new/liba.so': { soname: 'libold.so', hasVerdef: true, verdef: ['V1'] } };
  const trace = start({ needed: ['/new/liba.so'], verneed }, content);
  assert.deepEqual([trace.errors[0]?.kind, trace.status], ['inconsistent', 127]);
  const asked = start({ needed: ['/new/liba.so', 'libold.so'], verneed }, content);
  assert.deepEqual([asked.errors, asked.status], [[], 0]);
  assert.deepEqual(
    asked.objects[1]?.requests.map(({ how }) => how),
    ['opened', 'loaded by soname'],
  );
});

test('filters that filter each other are an error and not a hang', () => {
  const trace = start(
    { needed: ['liba.so'] },
    { '/glibc/lib/liba.so': { filter: ['libb.so'] }, '/glibc/lib/libb.so': { filter: ['liba.so'] } },
  );
  assert.match(trace.errors[0]?.message ?? '', /filter each other/);
  const ahead = start({ filter: ['liba.so'] }, { '/glibc/lib/liba.so': { auxiliary: ['liba.so'] } });
  assert.match(ahead.errors[0]?.message ?? '', /filter each other/);
});
