// Documents of many programs in one file: written the same way always, found without reading the rest.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canonicalText, signedText } from '../../src/fingerprint/fingerprint.ts';
import { signFingerprint } from '../../src/fingerprint/signature.ts';
import {
  entriesOfTree,
  findInTree,
  MAXIMUM_TREE_SIZE,
  type TreeEntry,
  treeText,
} from '../../src/fingerprint/tree-file.ts';
import { changed, good, secretKey } from './documents.ts';

function entry(byte: string, change: (document: ReturnType<typeof changed>) => void = () => {}): TreeEntry {
  const document = changed((each) => {
    each.program.sha256 = byte.repeat(32);
    change(each);
  });
  return { sha256: byte.repeat(32), text: canonicalText(document) };
}

const entries = ['03', '01', '02'].map((byte) => entry(byte));
const tree = treeText(entries);
const single = entry('aa');

function whyNot(text: string): string {
  const found = findInTree(text, '02'.repeat(32));
  return found.kind === 'refused' ? found.why : `(${found.kind})`;
}

test('it is JSON, sorted by program, one line each, the same whatever the order was', () => {
  const value = JSON.parse(tree);
  assert.deepEqual(Object.keys(value), ['fingerprints', 'version']);
  assert.deepEqual(
    value.fingerprints.map((each: typeof good) => each.program.sha256.slice(0, 2)),
    ['01', '02', '03'],
  );
  assert.equal(tree.split('\n').length, 6);
  assert.equal(treeText(entries.toReversed()), tree);
});

test('every program is found with its own bytes, signatures included; others are not', () => {
  const signature = signFingerprint(good, secretKey('k', 1));
  const signed = { sha256: good.program.sha256, text: signedText(good, [signature]) };
  const all = [...entries, signed];
  for (const { sha256, text } of all)
    assert.deepEqual(findInTree(treeText(all), sha256), { kind: 'found', text });
  assert.deepEqual(findInTree(tree, good.program.sha256), { kind: 'absent' });
  assert.deepEqual(findInTree(treeText([]), good.program.sha256), { kind: 'absent' });
});

test('one and none', () => {
  const one = treeText([single]);
  assert.deepEqual(findInTree(one, single.sha256), { kind: 'found', text: single.text });
  assert.deepEqual(entriesOfTree(one), { kind: 'entries', entries: [single] });
  assert.deepEqual(entriesOfTree(treeText([])), { kind: 'entries', entries: [] });
  assert.deepEqual(JSON.parse(treeText([])), { fingerprints: [], version: 1 });
});

test('of two documents for one program the first counts', () => {
  const second = entry('01', (each) => (each.program.size = 7));
  const text = treeText([...entries, second]);
  assert.equal(text, tree);
});

test('a hash inside a string of another document is not taken for a program', () => {
  const planted = entry('01', (each) => (each.program.interpreter = `"sha256":"${'02'.repeat(32)}"`));
  assert.deepEqual(findInTree(treeText([planted]), '02'.repeat(32)), { kind: 'absent' });
});

test('all entries come back, sorted', () => {
  const listed = entriesOfTree(tree);
  assert.deepEqual(listed, { kind: 'entries', entries: [entries[1], entries[2], entries[0]] });
});

test('a frame that is not ours is refused', () => {
  assert.match(whyNot(''), /no tree/);
  assert.match(whyNot(canonicalText(good)), /no tree/);
  assert.match(whyNot(JSON.stringify(JSON.parse(tree))), /no tree/);
  assert.match(whyNot(`${tree}\n`), /no tree/);
  assert.match(whyNot(`\ufeff${tree}`), /no tree/);
  assert.match(whyNot(tree.replace('],"version":1}', '],"version":2}')), /format 2, and this tool knows 1/);
  assert.match(whyNot('{"anything":[\n],"version":12}\n'), /format 12, and this tool knows 1/);
  assert.match(whyNot(' '.repeat(MAXIMUM_TREE_SIZE + 1)), /larger than 16 MiB/);
});

test('a program that is there twice, or a comma missing or too many, is refused', () => {
  const lines = tree.split('\n');
  const twice = [...lines.slice(0, 2), lines[2], ...lines.slice(2)].join('\n');
  assert.match(whyNot(twice), /the program is there twice/);
  assert.match(whyNot(tree.replaceAll('},\n', '}\n')), /comma/);
  const onlyLast = [lines[0], `${lines[2]}`, lines[4], ''].join('\n');
  assert.match(whyNot(onlyLast), /comma/);
});

test('the whole list is refused where it is not sorted, once each, or a line is no fingerprint', () => {
  const lines = tree.split('\n');
  const swapped = [lines[0], lines[2], lines[1], ...lines.slice(3)].join('\n');
  for (const [text, why] of [
    [swapped, /line 3 is not sorted/],
    [[lines[0], lines[1], lines[1], ...lines.slice(2)].join('\n'), /line 3 is not sorted/],
    [[lines[0], '{},', ...lines.slice(1)].join('\n'), /line 2 is no fingerprint/],
    [[lines[0], '', ...lines.slice(1)].join('\n'), /line 2 is no fingerprint/],
  ] as const) {
    const listed = entriesOfTree(text);
    assert.match(listed.kind === 'refused' ? listed.why : '(entries)', why);
  }
});

test('cut anywhere it is refused', () => {
  for (let length = 0; length < tree.length; length += 1) {
    assert.match(whyNot(tree.slice(0, length)), /no tree/);
  }
});

test('a large tree of hostile lines is gone through once', () => {
  const needle = `"sha256":"${'02'.repeat(32)}"`;
  const line = needle.repeat(200_000);
  const text = `{"fingerprints":[\n${line}\n],"version":1}\n`;
  const found = findInTree(text, '02'.repeat(32));
  assert.ok(found.kind === 'found' && found.text.length === line.length + 1);
});
