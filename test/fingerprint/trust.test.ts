// Owners and modes → who is trusted. Every combination of the bits that matter is tried.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Owners, writersOf } from '../../src/fingerprint/trust.ts';
import { NOBODY } from '../../src/host/user-namespace.ts';

const owners: Owners = { user: 1000, program: 2000 };
const ours = { uid: 1000, mode: 0o100644 };
const directory = { uid: 1000, mode: 0o40755 };

function why(file: Partial<typeof ours>, dir: Partial<typeof ours> = {}, who = owners): string {
  const writers = writersOf({ ...ours, ...file }, { ...directory, ...dir }, who);
  return writers.kind === 'trusted' ? 'trusted' : `${writers.cause}: ${writers.why}`;
}

test('the user, root and the owner of the program are trusted, in any pairing of file and directory', () => {
  for (const file of [0, 1000, 2000]) {
    for (const dir of [0, 1000, 2000]) assert.equal(why({ uid: file }, { uid: dir }), 'trusted');
  }
});

test('anybody else is not', () => {
  assert.match(why({ uid: 3000 }), /^file-owner: it belongs to uid 3000/);
  assert.match(why({}, { uid: 3000 }), /^directory-owner: its directory belongs to uid 3000/);
  assert.equal(
    why({ uid: 3000 }, {}, { user: 3000, program: 0 }),
    'directory-owner: its directory belongs to uid 1000, which is neither you, root nor the owner of the program',
  );
});

test('the uid that stands for all who have none here is nobody, even where it is the program’s', () => {
  const everybody: Owners = { user: NOBODY, program: NOBODY };
  assert.match(why({ uid: NOBODY }, { uid: NOBODY }, everybody), /^file-owner/);
  assert.match(why({ uid: 0 }, { uid: NOBODY }, everybody), /^directory-owner/);
});

test('exactly the modes without a write bit for others are trusted', () => {
  for (let mode = 0; mode <= 0o7777; mode += 1) {
    const isClosed = (mode & 0o022) === 0;
    assert.equal(why({ mode: 0o100000 | mode }) === 'trusted', isClosed, `file ${mode.toString(8)}`);
    assert.equal(why({}, { mode: 0o40000 | mode }) === 'trusted', isClosed, `directory ${mode.toString(8)}`);
  }
});

test('each cause has its own line', () => {
  assert.match(why({ mode: 0o100664 }), /^file-writable: its group may write to it \(mode 664\)/);
  assert.match(why({ mode: 0o100666 }), /^file-writable: everybody may write to it/);
  assert.match(why({}, { mode: 0o40775 }), /^directory-writable: a group may put files/);
  assert.match(why({}, { mode: 0o40777 }), /^directory-open: everybody may put files into its directory$/);
  assert.match(why({}, { mode: 0o41777 }), /^directory-open: .* which the sticky bit does not prevent$/);
});
