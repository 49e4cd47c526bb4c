// The text of src/ → the promises its layout makes: one direction of imports, pure stages, small files, plain names.
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';

const SOURCES = path.resolve(import.meta.dirname, '../src');

/** A folder imports only itself and what stands before it. */
const ORDER = [
  'platform',
  'configuration',
  'elf',
  'store',
  'candidates',
  'solve',
  'choices',
  'loader',
  'fingerprint',
  'roots',
  'launch',
  'shims',
  'patch',
  'binfmt',
  'appimage',
  'hooks',
  'graph',
  'pipeline',
  'commands',
];

/** Files directly in src/: `errors.ts` stands before everything, these after it. */
const ENTRIES = ['edge.ts', 'main.ts', 'resolver.ts', 'nix-foreign.cts'];

/** Leaves that take a type, and nothing but a type, from a later folder. */
const TYPE_ONLY = new Set(['platform/file-source.ts → elf/byte-source.ts']);

interface Import {
  readonly from: string;
  readonly typeOnly: boolean;
}

interface Source {
  /** Path below src/. */
  readonly name: string;
  readonly text: string;
  readonly imports: readonly Import[];
}

/** Code without its comments and string contents, so that words in prose are not taken for code. */
function codeOf(text: string): string {
  const skipped = /\/\*[\s\S]*?\*\/|\/\/[^\n]*|'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"/g;
  return text.replace(skipped, (match) => (match.startsWith('/') ? '' : "''"));
}

function importsOf(text: string): Import[] {
  const statement = /^(?:import|export)\s+(type\s)?[^;'"]*?from\s+['"]([^'"]+)['"]/gm;
  const bare = /^import\s+['"]([^'"]+)['"]/gm;
  const lazy = /\b(?:import|require)\(\s*['"]([^'"]+)['"]\s*\)/g;
  return [
    ...[...text.matchAll(statement)].map(([, type, from = '']) => ({ from, typeOnly: type !== undefined })),
    ...[...text.matchAll(bare)].map(([, from = '']) => ({ from, typeOnly: false })),
    ...[...text.matchAll(lazy)].map(([whole, from = '']) => ({
      from,
      typeOnly: text.includes(`typeof ${whole}`),
    })),
  ];
}

const sources: readonly Source[] = globSync('**/*.{ts,cts}', { cwd: SOURCES })
  .sort()
  .map((name) => {
    const text = readFileSync(path.join(SOURCES, name), 'utf8');
    return { name, text, imports: importsOf(text) };
  });

function folderOf(name: string): string {
  return name.includes('/') ? (name.split('/')[0] ?? '') : name;
}

function place(name: string): number {
  const folder = folderOf(name);
  if (folder === 'errors.ts') return -1;
  if (ENTRIES.includes(folder)) return ORDER.length + ENTRIES.indexOf(folder);
  return ORDER.indexOf(folder);
}

/** Imports of other files of src/, as [file, imported file, import]. */
function edges(): [string, string, Import][] {
  return sources.flatMap((source) =>
    source.imports
      .filter(({ from }) => from.startsWith('.'))
      .map((each): [string, string, Import] => {
        const target = path.join(path.dirname(source.name), each.from);
        return [source.name, target.replace(/\.cjs$/, '.ts'), each];
      })
      .filter(([, target]) => !target.startsWith('..')),
  );
}

function offences(test: (source: Source) => readonly string[]): string[] {
  return sources.flatMap((source) => test(source).map((what) => `${source.name}: ${what}`));
}

test('the reader of imports sees every form', () => {
  const text = `import { a } from './a.ts';
import type { B } from '../b/b.ts';
import './c.ts';
export { d } from './d.ts';
const e = await import('./e.ts');
import {
  f,
} from './f.ts';`;
  const found = importsOf(text).map(({ from }) => from);
  assert.deepEqual(found.sort(), ['../b/b.ts', './a.ts', './c.ts', './d.ts', './e.ts', './f.ts']);
  assert.ok(sources.length > 80, `only ${sources.length} sources were found`);
  assert.ok(edges().length > 150, `only ${edges().length} imports were found`);
});

test('every folder of src/ is a stage or named here', () => {
  const unknown = sources.filter(({ name }) => place(name) === -1 && name !== 'errors.ts');
  assert.deepEqual(
    unknown.map(({ name }) => name),
    [],
  );
});

test('imports go one way', () => {
  const wrong = edges()
    .filter(([from, to]) => place(to) > place(from))
    .filter(([from, to, { typeOnly }]) => !(typeOnly && TYPE_ONLY.has(`${from} → ${to}`)))
    .map(([from, to]) => `${from} → ${to}`);
  assert.deepEqual(wrong, []);
});

test('what is imported is there', () => {
  const names = new Set(sources.map(({ name }) => name));
  const missing = edges().filter(([, to]) => !names.has(to) && !to.endsWith('.json'));
  assert.deepEqual(missing, []);
});

test('no import cycle', () => {
  const next = new Map<string, string[]>();
  for (const [from, to, { typeOnly }] of edges()) {
    if (!typeOnly) next.set(from, [...(next.get(from) ?? []), to]);
  }
  const done = new Set<string>();
  const visit = (name: string, trail: readonly string[]): void => {
    const at = trail.indexOf(name);
    assert.equal(at, -1, `cycle: ${[...trail.slice(at), name].join(' → ')}`);
    if (done.has(name)) return;
    for (const each of next.get(name) ?? []) visit(each, [...trail, name]);
    done.add(name);
  };
  for (const { name } of sources) visit(name, []);
});

test('elf/, solve/, loader/ and graph/ are pure', () => {
  const pure = ['elf', 'solve', 'loader', 'graph'];
  /** Only the POSIX rules for texts that are paths: it looks at no file. */
  const allowed = new Set(['node:path/posix']);
  const impure =
    /\b(?:process|globalThis|performance|console|setTimeout|setInterval|setImmediate|fetch)\b|\bDate\b|\bMath\.random\b/;
  const found = offences(({ name, text, imports }) => {
    if (!pure.includes(folderOf(name))) return [];
    const outside = imports
      .filter(({ from }) => !from.startsWith('.') && !allowed.has(from))
      .map(({ from }) => `imports ${from}`);
    const stages = imports
      .map(({ from }) => path.join(path.dirname(name), from))
      .filter((to) => to.startsWith('platform/') || to.startsWith('store/'))
      .map((to) => `imports ${to}`);
    const word = impure.exec(codeOf(text))?.[0];
    return [...outside, ...stages, ...(word === undefined ? [] : [`uses ${word}`])];
  });
  assert.deepEqual(found, []);
});

test('the environment and the exit status belong to the entries', () => {
  const given = new Set([
    'pipeline/context.ts', // its `process` is a parameter
    'commands/run-main.ts', // the whole of bin/nix-run-foreign.mjs, which ends as the program ended
  ]);
  const found = offences(({ name, text }) => {
    if (ENTRIES.includes(name) || given.has(name)) return [];
    const code = codeOf(text);
    return [...code.matchAll(/\bprocess\.(?:env|exit|exitCode|argv)\b/g)].map(([word]) => `uses ${word}`);
  });
  assert.deepEqual(found, []);
});

test('processes are started in one file, and only store/ knows the names of Nix commands', () => {
  const starters = sources
    .filter(({ imports }) => imports.some(({ from }) => /^(node:)?child_process$|^execa$/.test(from)))
    .map(({ name }) => name);
  // The second is the launcher's substitute: the only one that starts the user's program.
  assert.deepEqual(
    starters.filter((name) => name !== 'commands/run.ts'),
    ['platform/run-program.ts'],
  );
  const callers = offences(({ name, imports }) =>
    folderOf(name) === 'store' || !imports.some(({ from }) => from.endsWith('/run-program.ts')) ? [] : [name],
  );
  assert.deepEqual(callers, [
    'appimage/unpack-files.ts: appimage/unpack-files.ts',
    'commands/doctor.ts: commands/doctor.ts',
    'commands/setup.ts: commands/setup.ts',
    'launch/compile-launcher.ts: launch/compile-launcher.ts',
    'launch/namespace.ts: launch/namespace.ts',
    'launch/proof.ts: launch/proof.ts',
    'patch/copy-with-changes.ts: patch/copy-with-changes.ts',
    'patch/patchelf.ts: patch/patchelf.ts',
    'patch/prove-patched.ts: patch/prove-patched.ts',
    'patch/replace-file.ts: patch/replace-file.ts',
    'pipeline/apply-patch.ts: pipeline/apply-patch.ts',
  ]);
});

test('no default exports, no classes but the error, no enums and namespaces', () => {
  const found = offences(({ text }) => {
    const code = codeOf(text);
    return [
      ...code.matchAll(
        /^export default\b|^\s*(?:export\s+)?(?:class(?!\s+\w+\s+extends\s+Error\b)|enum|namespace)\s+\w+/gm,
      ),
    ].map(([word]) => word.trim());
  });
  assert.deepEqual(found, []);
});

test('names are in field terms', () => {
  const banned = /(^|[/-])(utils?|helpers?|common|misc|types|index|constants|shared|lib)(\.|\/|-|$)/;
  const found = sources
    .map(({ name }) => name)
    .filter((name) => banned.test(name) || !/^[a-z0-9./-]+$/.test(name));
  assert.deepEqual(found, []);
});

test('files are small and say in their first line what they are', () => {
  const LIMIT = 250;
  /** File → why it is longer. */
  const exceptions = new Map<string, string>();
  const long = offences(({ name, text }) => {
    const lines = text.split('\n').length - 1;
    return lines > LIMIT && !exceptions.has(name) ? [`${lines} lines`] : [];
  });
  assert.deepEqual(long, []);
  const silent = offences(({ text }) => (/^\/\/ \S.{10,}/.test(text) ? [] : ['no first-line comment']));
  assert.deepEqual(silent, []);
});

test('imports of our own files carry their ending', () => {
  const found = offences(({ imports }) =>
    imports
      .map(({ from }) => from)
      .filter((from) => from.startsWith('.') && !/\.(ts|cts|json|cjs)$/.test(from)),
  );
  assert.deepEqual(found, []);
});
