// The test files named, or all of them → node:test, two files at a time, each printing its closing lines.
import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import path from 'node:path';

const PROJECT = path.resolve(import.meta.dirname, '..');
const named = process.argv.slice(2);
const files = named.length > 0 ? named : globSync('test/**/*.test.ts', { cwd: PROJECT }).sort();
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
  { cwd: PROJECT, stdio: ['ignore', 'inherit', 'inherit'] },
);
process.exitCode = status ?? 1;
