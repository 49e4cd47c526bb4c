// The text of launcher/ → the promises of its layout: few files, small files, no circle of includes or of calls.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';

const directory = path.resolve(import.meta.dirname, '../../launcher');
const files = readdirSync(directory)
  .sort()
  .map((name) => {
    const text = readFileSync(path.join(directory, name), 'utf8');
    return { name, text, lines: text.trimEnd().split('\n') };
  });
const sources = files.filter(({ name }) => name.endsWith('.c'));

/** A circle in `next`, as a list that ends where it begins; undefined without one. */
function circleIn(next: ReadonlyMap<string, readonly string[]>): readonly string[] | undefined {
  const done = new Set<string>();
  const visit = (name: string, trail: readonly string[]): readonly string[] | undefined => {
    if (trail.includes(name)) return [...trail.slice(trail.indexOf(name)), name];
    if (done.has(name)) return undefined;
    for (const each of next.get(name) ?? []) {
      const circle = visit(each, [...trail, name]);
      if (circle !== undefined) return circle;
    }
    done.add(name);
    return undefined;
  };
  return [...next.keys()].map((name) => visit(name, [])).find((circle) => circle !== undefined);
}

function includesOf(text: string): string[] {
  return [...text.matchAll(/^#include "([^"]+)"/gm)].map(([, name = '']) => name);
}

/** Symbols of a compiled file by what `nm` says of them: `T` and the like for its own, `U` for those of others. */
function symbolsOf(object: string): { own: string[]; others: string[] } {
  const lines = execFileSync('nm', ['-P', object], { encoding: 'utf8' }).trim().split('\n');
  const words = lines.map((line) => line.split(' '));
  const named = (wanted: RegExp): string[] =>
    words.filter(([, kind = '']) => wanted.test(kind)).map(([name = '']) => name);
  return { own: named(/^[A-TV-Z]$/), others: named(/^U$/) };
}

test('a circle is found', () => {
  const next = new Map([
    ['a', ['b', 'c']],
    ['b', []],
    ['c', ['d']],
    ['d', ['a']],
  ]);
  assert.deepEqual(circleIn(next), ['a', 'c', 'd', 'a']);
  assert.equal(circleIn(new Map([['a', ['b']]])), undefined);
});

// 29, two for views (the root directory of one, what is asked of a loader by its name), the order of a library path,
// where the package of a launcher is, and what the audit module shares: the environment of a resolver.
test('at most 34 files of at most 400 lines', () => {
  assert.ok(files.length > 20 && files.length <= 34, `${files.length} files`);
  assert.deepEqual(
    files.filter(({ lines }) => lines.length > 400).map(({ name }) => name),
    [],
  );
});

test('each file begins with what it turns into what, and no line is longer than 120 characters', () => {
  for (const { name, lines } of files) {
    const first = lines[0] ?? '';
    assert.match(first, /^\/\/ \S/, name);
    if (name.endsWith('.c')) assert.match(first, / → /, name);
    for (const line of lines) assert.ok(line.length <= 120, `${name}: ${line}`);
  }
});

test('what is included is there, and no include comes back', () => {
  const next = new Map(files.map(({ name, text }) => [name, includesOf(text)]));
  const names = new Set(next.keys());
  for (const [name, included] of next)
    for (const each of included) assert.ok(names.has(each), `${name} includes ${each}`);
  assert.equal(circleIn(next), undefined);
});

test('no file calls a file that calls it', () => {
  const scratch = mkdtempSync(path.join(tmpdir(), 'launcher-objects-'));
  after(() => rmSync(scratch, { recursive: true, force: true }));
  const words = ['LAUNCHER_VERSION', 'RESOLVER_NODE', 'RESOLVER_SCRIPT'].map((name) => `-D${name}="x"`);
  const flags = ['-c', '-O2', '-std=c11', '-ffreestanding', '-fno-builtin', '-mgeneral-regs-only', ...words];
  execFileSync('cc', [...flags, ...sources.map(({ name }) => path.join(directory, name))], { cwd: scratch });
  const symbols = new Map(
    sources.map(({ name }) => [name, symbolsOf(path.join(scratch, name.replace(/c$/, 'o')))]),
  );
  const owner = new Map([...symbols].flatMap(([name, { own }]) => own.map((symbol) => [symbol, name])));
  const next = new Map(
    [...symbols].map(([name, { others }]) => [
      name,
      [...new Set(others.map((symbol) => owner.get(symbol)))].filter((each) => each !== undefined),
    ]),
  );
  assert.ok((next.get('start.c') ?? []).includes('main.c'), 'calls are seen');
  assert.equal(circleIn(next), undefined);
});
