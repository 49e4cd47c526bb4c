// The test files named, or all of them → node:test, two files at a time, each printing its closing lines.
import { spawnSync } from 'node:child_process';
import { chmodSync, globSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { freemem } from 'node:os';
import path from 'node:path';

const PROJECT = path.resolve(import.meta.dirname, '..');
/** Roots are made and removed all the time, which a disk makes a sixth slower. */
const MEMORY = '/dev/shm';
const BYTES_NEEDED = 12 * 2 ** 30;

/** A directory in memory that has room for all tests and lets programs run, or undefined. */
function directoryInMemory(): string | undefined {
  try {
    const { bavail, bsize } = statfsSync(MEMORY);
    if (Math.min(bavail * bsize, freemem()) < BYTES_NEEDED) return undefined;
    const directory = mkdtempSync(path.join(MEMORY, 'tests-'));
    chmodSync(directory, 0o1777); // as /tmp: some tests are other users
    const script = path.join(directory, 'runs');
    writeFileSync(script, '#!/bin/sh\n', { mode: 0o755 });
    if (spawnSync(script).status === 0) return directory;
    rmSync(directory, { recursive: true });
  } catch {} // there is none, or it is not ours to write to
  return undefined;
}

const named = process.argv.slice(2);
const files = named.length > 0 ? named : globSync('test/**/*.test.ts', { cwd: PROJECT }).sort();
const inMemory = process.env.TMPDIR === undefined ? directoryInMemory() : undefined;
const { status } = spawnSync(
  process.execPath,
  [
    `--import=${path.join(PROJECT, 'test/compile-cache.mjs')}`,
    '--test',
    '--test-concurrency=2',
    '--test-timeout=1200000',
    '--test-force-exit',
    '--test-reporter=spec',
    ...files,
  ],
  {
    cwd: PROJECT,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: inMemory === undefined ? process.env : { ...process.env, TMPDIR: inMemory },
  },
);
if (inMemory !== undefined) rmSync(inMemory, { recursive: true, force: true });
process.exitCode = status ?? 1;
