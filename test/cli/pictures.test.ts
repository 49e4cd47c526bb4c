// One picture in three languages: everything in it is there, marked, and escaped; the same bytes every time.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { quoted as dotQuoted, dotText } from '../../src/cli/graph/dot.ts';
import { quoted as mermaidQuoted, mermaidText } from '../../src/cli/graph/mermaid.ts';
import { type Drawn, pictureOfConflict, pictureOfSet } from '../../src/cli/graph/picture.ts';
import { svgOfDot } from '../../src/cli/graph/svg.ts';
import { explainConflict } from '../../src/solver/explain-conflict.ts';
import { solve } from '../../src/solver/solve.ts';
import { glibc, problem, provider, requirer } from '../solver/small-problem.ts';

const HOSTILE = 'a"b\\c\n<d>&amp;[e]{f}|g;\u0007--> end #quot;';

const store = (name: string, more: Partial<Drawn> = {}): Drawn => ({
  name,
  kind: 'store',
  origin: `${name}-1`,
  glibc: 'glibc-2.41',
  neededBy: ['prog'],
  overridden: [],
  diamond: false,
  ...more,
});

const picture = pictureOfSet('prog', [
  store('liba.so'),
  store('libb.so', { glibc: 'glibc-2.36' }),
  store('libd.so', {
    neededBy: ['liba.so', 'libb.so'],
    diamond: true,
    overridden: [{ by: 'libb.so', origin: 'd-2' }],
  }),
  store('libown.so', { kind: 'bundled', glibc: undefined }),
  store('libc.so.6', { kind: 'libc', neededBy: ['prog', 'liba.so', 'libb.so'] }),
]);

test('edges: who loaded it, who needs it too, whose run path is overridden; libc has one', () => {
  const edges = picture.edges.map(({ from, to, kind }) => `${from} ${kind} ${to}`);
  assert.deepEqual(edges, [
    'prog load liba.so',
    'prog load libb.so',
    'liba.so load libd.so',
    'libb.so override libd.so',
    'prog load libown.so',
    'prog load libc.so.6',
  ]);
});

test('DOT and Mermaid show every node, the diamond, and one colour for each glibc', () => {
  for (const text of [dotText(picture), mermaidText(picture)]) {
    for (const word of [
      'prog',
      'liba.so',
      'libb.so',
      'libd.so',
      'libown.so',
      'libc.so.6',
      'run paths disagree',
    ])
      assert.ok(text.includes(word), word);
    assert.match(text, /built with glibc-2\.41/);
    assert.match(text, /built with glibc-2\.36/);
    assert.match(text, /its own: d-2/);
  }
  const fills = new Set(
    [...dotText(picture).matchAll(/fillcolor="(#[0-9a-f]{6})"/g)].map(([, fill]) => fill),
  );
  assert.equal(fills.size, 3); // two glibcs, and white for what has none
  assert.equal(dotText(picture), dotText(structuredClone(picture)));
});

test('SVG has the nodes and the legend, and is whole', async () => {
  const svg = await svgOfDot(dotText(picture));
  assert.match(svg, /<svg [\s\S]*<\/svg>\s*$/);
  for (const word of ['libd.so', 'legend', '◆ run paths disagree']) assert.ok(svg.includes(word), word);
});

test('no text breaks out of its quotes', async () => {
  const hostile = pictureOfSet(HOSTILE, [store(`${HOSTILE}2`, { neededBy: [HOSTILE], origin: HOSTILE })]);
  const svg = await svgOfDot(dotText(hostile));
  assert.equal([...svg.matchAll(/<g id="node\d+" class="node">/g)].length, 2 + 2); // and two in the legend
  assert.ok(svg.includes('&lt;d&gt;'));
  const mermaid = mermaidText(hostile);
  assert.match(mermaid, /^ {2}n0\(\["[^"<>[\]{}|\n]*"\]\)$/m);
  assert.doesNotMatch(mermaidQuoted(HOSTILE).slice(1, -1), /["<>[\]{}|&\n]/);
  assert.equal(dotQuoted('a"b\\n'), '"a\\"b\\\\n"');
  assert.equal(dotQuoted('\u009b31m\u202e'), '"?31m?"', 'nothing that drives a terminal');
});

test('a conflict: who needs what, what is offered and why it does not fit, and the sentences', async () => {
  const needs = { 'libcrypto.so.3': ['OPENSSL_3.2.0'] };
  const outcome = solve(
    problem({
      roots: [requirer('/opt/ruby', { versions: needs })],
      offers: {
        'libcrypto.so.3': [provider('openssl-3.0.20', 'libcrypto.so.3', { defines: ['OPENSSL_3.0.9'] })],
      },
      loaders: [glibc('2.41', ['GLIBC_2.34'])],
    }),
  );
  assert.equal(outcome.kind, 'conflict');
  if (outcome.kind !== 'conflict') return;
  const drawn = pictureOfConflict('ruby', outcome, explainConflict(outcome));
  assert.deepEqual(
    drawn.nodes.map(({ kind }) => kind),
    ['program', 'lack', 'offer'],
  );
  assert.deepEqual(
    drawn.edges.map(({ kind, label }) => [kind, label]),
    [
      ['load', ''],
      ['refused', 'lacks OPENSSL_3.2.0'],
    ],
  );
  assert.match(dotText(drawn), /ruby needs libcrypto\.so\.3 \(OPENSSL_3\.2\.0\)/);
  assert.match(await svgOfDot(dotText(drawn)), /lacks OPENSSL_3\.2\.0/);
});

test('a name that nobody has hangs on those who need it', () => {
  const reasons = [{ kind: 'no-provider', name: 'libx.so.1', neededBy: ['liba.so', 'ruby'] }] as const;
  const drawn = pictureOfConflict('ruby', { kind: 'conflict', reasons, minimal: true }, ['no libx']);
  const edges = drawn.edges.map(({ from, to, kind }) => `${from} ${kind} ${to}`);
  assert.deepEqual(edges, ['liba.so load name:libx.so.1', 'ruby load name:libx.so.1', 'ruby need liba.so']);
});
