// The text of src/ → the promises its layout makes: one direction of imports, pure stages, small files, plain names.
import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';

const PROJECT = path.resolve(import.meta.dirname, '..');
const SOURCES = path.join(PROJECT, 'src');

/** A folder imports only itself and what stands before it. */
const ORDER = [
  'host',
  'config',
  'elf',
  'store',
  'index',
  'program',
  'candidates',
  'solver',
  'choices',
  'ldso',
  'fingerprint',
  'farm',
  'plan',
  'view',
  'integrations',
  'resolve',
  'cli',
  'bin',
];

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
  return name.split('/')[0] ?? '';
}

function place(name: string): number {
  return ORDER.indexOf(folderOf(name));
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
  const unknown = sources.filter(({ name }) => place(name) === -1);
  assert.deepEqual(
    unknown.map(({ name }) => name),
    [],
  );
});

test('imports go one way', () => {
  const wrong = edges()
    .filter(([from, to]) => place(to) > place(from))
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

test('elf/, solver/, ldso/simulation/ and the pictures are pure', () => {
  const pure =
    /^(?:elf\/(?!open-elf\.ts)|solver\/|ldso\/simulation\/|cli\/graph\/(?:picture|dot|mermaid)\.ts)/;
  /** Only the POSIX rules for texts that are paths: it looks at no file. */
  const allowed = new Set(['node:path/posix']);
  const impure =
    /\b(?:process|globalThis|performance|console|setTimeout|setInterval|setImmediate|fetch)\b|\bDate\b|\bMath\.random\b/;
  const found = offences(({ name, text, imports }) => {
    if (!pure.test(name)) return [];
    const outside = imports
      .filter(({ from }) => !from.startsWith('.') && !allowed.has(from))
      .map(({ from }) => `imports ${from}`);
    const stages = imports
      .map(({ from }) => path.join(path.dirname(name), from))
      .filter((to) => to.startsWith('host/') || (to.startsWith('store/') && to !== 'store/store-location.ts'))
      .map((to) => `imports ${to}`);
    const word = impure.exec(codeOf(text))?.[0];
    return [...outside, ...stages, ...(word === undefined ? [] : [`uses ${word}`])];
  });
  assert.deepEqual(found, []);
});

test('the environment and the exit status belong to the entries', () => {
  const given = new Set([
    'resolve/context.ts', // its `process` is a parameter
  ]);
  const found = offences(({ name, text }) => {
    if (folderOf(name) === 'bin' || given.has(name)) return [];
    const code = codeOf(text);
    return [...code.matchAll(/\bprocess\.(?:env|exit|exitCode|argv)\b/g)].map(([word]) => `uses ${word}`);
  });
  assert.deepEqual(found, []);
});

test('processes are started in one file, and only store/ knows the names of Nix commands', () => {
  const starters = sources
    .filter(({ imports }) => imports.some(({ from }) => /^(node:)?child_process$|^execa$/.test(from)))
    .map(({ name }) => name);
  assert.deepEqual(starters, ['host/run-program.ts']);
  const callers = sources
    .filter(({ imports }) => imports.some(({ from }) => from.endsWith('/run-program.ts')))
    .map(({ name }) => name)
    .filter((name) => folderOf(name) !== 'store');
  assert.deepEqual(callers, [
    'cli/doctor/doctor.ts',
    'cli/doctor/watch-start.ts',
    'host/http.ts', // getent
    'host/processor.ts', // the smallest 32-bit program
    'integrations/appimage/unpack.ts',
    'integrations/patch/copy-with-changes.ts',
    'integrations/patch/prove-patched.ts',
    'integrations/patch/replace-file.ts',
    'ldso/ask-loader.ts',
    'ldso/search-paths.ts',
    'plan/strategy.ts',
    'resolve/apply-patch.ts',
  ]);
});

test('directories are made in one file, which says the reason where it cannot', () => {
  const found = offences(({ name, text }) => {
    if (name === 'host/files.ts') return [];
    const calls = [...codeOf(text).matchAll(/\bmkdir(?:Sync)?\([^;]*?\brecursive\b/g)];
    return calls.map(() => 'calls mkdir with `recursive`; makeDirectories of host/files.ts does it');
  });
  assert.deepEqual(found, []);
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
    // A file index is what the field calls it; a file named so would say nothing.
    .filter((name) => banned.test(name.replace(/^index\//, '')) || !/^[a-z0-9./-]+$/.test(name));
  assert.deepEqual(found, []);
});

test('files are small and say in their first line what they are', () => {
  const LIMIT = 400;
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

/** The numbered steps below a heading of CONTRIBUTING.md: the file that each names first. */
function wayOf(heading: string): string[] {
  const text = readFileSync(path.join(PROJECT, 'CONTRIBUTING.md'), 'utf8');
  const section = text.split(`### ${heading}\n`)[1]?.split('\n#')[0] ?? '';
  return [...section.matchAll(/^\d+\. `([^`]+)`/gm)].map(([, file = '']) => file);
}

test('CONTRIBUTING shows the way of a miss: each file imports or starts the next', () => {
  const way = wayOf('The way of a miss').filter((file) => file.startsWith('src/'));
  assert.ok(way.length >= 6, `only ${way.length} files`);
  const reached = new Map(edges().map(([from, to]) => [`src/${from} → src/${to}`, true]));
  // Two files of the way are reached by the one before its neighbour: the last steps are calls of from-store.ts.
  const wrong = way.slice(1).filter((file, index) => {
    const earlier = way.slice(0, index + 1);
    return !earlier.some((each) => reached.has(`${each} → ${file}`));
  });
  assert.deepEqual(wrong, []);
});

test('CONTRIBUTING shows the way of a hit: each file is there, and its functions are called by one before it', () => {
  const way = wayOf('The way of a hit');
  assert.equal(way.length, 7);
  const texts = way.map((file) => readFileSync(path.join(PROJECT, file), 'utf8'));
  const wrong = way.slice(1).filter((_, index) => {
    const defined = [
      ...(texts[index + 1] ?? '').matchAll(/^(?!static)[a-z][\w *]*?\b(\w+)\([^;{]*\)\n\{/gm),
    ].map(([, name = '']) => name);
    const before = texts.slice(0, index + 1).join('\n');
    return !defined.some((name) => new RegExp(`\\b${name}\\(`).test(before));
  });
  assert.deepEqual(wrong, []);
});

test('CONTRIBUTING has a line for each folder of src/', () => {
  const text = readFileSync(path.join(PROJECT, 'CONTRIBUTING.md'), 'utf8');
  const named = [...text.matchAll(/^\| `src\/([a-z]+)\/` \|/gm)].map(([, folder]) => folder);
  assert.deepEqual(named, ORDER);
});

test('no type name is declared twice', () => {
  const files = new Map<string, string[]>();
  for (const { name, text } of sources) {
    for (const [, type = ''] of codeOf(text).matchAll(/^(?:export )?(?:interface|type) (\w+)/gm))
      files.set(type, [...(files.get(type) ?? []), name]);
  }
  assert.deepEqual(
    [...files].filter(([, declared]) => declared.length > 1),
    [],
  );
});

/** What a killed process leaves in the machine's directory for temporary files no later run of ours looks for. */
test('what is written for a while lies in a place of ours, by a name that the next run removes', () => {
  assert.deepEqual(
    offences(({ text }) => text.match(/\bmkdtemp\w*|\btmpdir\b|\?\? '\/tmp|process\.pid\}\.tmp/g) ?? []),
    [],
  );
});

test('file names are unique', () => {
  const names = sources.map(({ name }) => path.basename(name));
  assert.deepEqual(
    names.filter((name, index) => names.indexOf(name) !== index),
    [],
  );
});

test('what is exported is used by another file', () => {
  const users = globSync(['src/**/*.{ts,cts}', 'test/**/*.ts', 'scripts/**/*.ts'], { cwd: PROJECT }).map(
    (name) => {
      const text = readFileSync(path.join(PROJECT, name), 'utf8');
      const imports = importsOf(text).filter(({ from }) => from.startsWith('.'));
      const files = imports.map(({ from }) => path.join(path.dirname(name), from.replace(/\.cjs$/, '.ts')));
      return { files: new Set(files), words: new Set(text.match(/\w+/g)) };
    },
  );
  const found = offences(({ name, text }) => {
    const declared = /^export (?:async )?(?:function\*?|const|interface|type) (\w+)/gm;
    const importers = users.filter(({ files }) => files.has(path.join('src', name)));
    return [...text.matchAll(declared)]
      .map(([, each = '']) => each)
      .filter((each) => !importers.some(({ words }) => words.has(each)));
  });
  assert.deepEqual(found, []);
});

/** Files below 40 lines that have one importer, or none → why they stand alone. */
const SMALL_FILES = new Map<string, string>([
  ['cli/graph/svg.ts', 'a bundle of its own: it brings a large package'],
  ['ldso/simulation/simulate.ts', 'the entry of the simulation'],
  ['resolve/plan-direct.ts', 'loaded only for programs that need no library'],
  ['cli/print-cache.ts', 'the format of ldconfig; loaded only for whoever asks from a view'],
  ['store/soname-table.ts', 'the file format is read in C; the scan of the store writes it'],
  ['index/package-name.ts', 'the rule of nixpkgs for names of outputs'],
]);

test('a small file has two importers or a reason', () => {
  const importers = new Map<string, Set<string>>();
  for (const [from, to] of edges()) importers.set(to, (importers.get(to) ?? new Set()).add(from));
  const lonely = sources
    .filter(({ name, text }) => text.split('\n').length - 1 < 40 && !name.startsWith('bin/'))
    .filter(({ name }) => (importers.get(name)?.size ?? 0) < 2 && !SMALL_FILES.has(name))
    .map(({ name }) => name);
  assert.deepEqual(lonely, []);
});

test('comments can be read in one go: at most 120 characters, one kind of arrow', () => {
  const found = offences(({ text }) =>
    text
      .split('\n')
      .filter((line) => /^\s*(?:\/\/|\*|\/\*)/.test(line))
      .filter((line) => line.length > 120 || / -> /.test(line)),
  );
  assert.deepEqual(found, []);
});

test('constants of a module are in capitals', () => {
  const found = offences(({ name, text }) =>
    name.endsWith('.cts')
      ? []
      : [
          ...codeOf(text).matchAll(
            /^(?:export )?const ([a-z]\w*)(?:: [^=]+)? = (?:-?\d|''|\[|new (?:Set|Map)\(\[)/gm,
          ),
        ].map(([, constant = '']) => constant),
  );
  assert.deepEqual(found, []);
});

test('functions take at most four parameters', () => {
  const found = offences(({ text }) =>
    [...codeOf(text).matchAll(/\bfunction\*? (\w+)(?:<[^>(]*>)?\(([^{]*?)\)(?::|\s*\{)/g)]
      .filter(([, , parameters = '']) => parametersOf(parameters) > 4)
      .map(([, name = '']) => name),
  );
  assert.deepEqual(found, []);
});

/** How many parameters stand between the brackets; commas inside types do not count. */
function parametersOf(text: string): number {
  let depth = 0;
  let count = text.trim() === '' ? 0 : 1;
  for (const character of text.trim().replace(/,\s*$/, '').replaceAll('=>', '')) {
    if ('([{<'.includes(character)) depth += 1;
    else if (')]}>'.includes(character)) depth -= 1;
    else if (character === ',' && depth === 0) count += 1;
  }
  return count;
}

/** Without a folder it is the one beside the file. */
test('the notes that a comment names are there', () => {
  const texts = globSync(['src/**/*.{ts,cts}', 'launcher/*.{c,h}', 'audit/*.{c,h}'], { cwd: PROJECT });
  const wrong = texts.flatMap((file) =>
    [...readFileSync(path.join(PROJECT, file), 'utf8').matchAll(/(?:[a-z]+\/)*NOTES\.md/g)]
      .map(([named]) => named)
      .filter((named) => {
        const places =
          named === 'NOTES.md' ? [path.join(path.dirname(file), named)] : [named, path.join('src', named)];
        return !places.some((place) => existsSync(path.join(PROJECT, place)));
      })
      .map((named) => `${file}: ${named}`),
  );
  assert.deepEqual(wrong, []);
});
