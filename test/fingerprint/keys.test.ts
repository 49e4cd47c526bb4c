// Keys as Nix writes them, made and checked by Nix itself.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { sign } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { parsePublicKey, parseSecretKey } from '../../src/fingerprint/signature.ts';
import { openPrivateStore } from '../store/private-store.ts';
import { secretKeyText } from './documents.ts';

const scratch = mkdtempSync(path.join(tmpdir(), 'keys-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

function nixKey(args: readonly string[], input: string): string {
  const all = ['--extra-experimental-features', 'nix-command', 'key', ...args];
  return execFileSync('nix', all, { input, encoding: 'utf8' });
}

function secretOf(text: string) {
  const parsed = parseSecretKey(text);
  assert.ok(parsed.kind === 'key', parsed.kind === 'refused' ? parsed.why : '');
  return parsed.key;
}

function whySecret(text: string): string {
  const parsed = parseSecretKey(text);
  return parsed.kind === 'refused' ? parsed.why : '(a key)';
}

function whyPublic(text: string): string {
  const parsed = parsePublicKey(text);
  return parsed.kind === 'refused' ? parsed.why : '(a key)';
}

test('a secret key of Nix has the public key that Nix says it has', () => {
  for (const name of ['vendor.example-1', 'x', 'a/b+c=d']) {
    const text = nixKey(['generate-secret', '--key-name', name], '');
    const secret = secretOf(text);
    assert.equal(secret.name, name);
    assert.equal(secret.public.text, nixKey(['convert-secret-to-public'], text));
    assert.equal(secretOf(`${text}\n`).public.text, secret.public.text);
    const parsed = parsePublicKey(`${secret.public.text}\n`);
    assert.ok(parsed.kind === 'key');
    assert.ok(parsed.key.key.equals(secret.public.key));
  }
});

test('so has one that Nix writes without its experimental commands', () => {
  const [secret, written] = ['secret-key', 'public-key'].map((name) => path.join(scratch, name));
  assert.ok(secret !== undefined && written !== undefined);
  execFileSync('nix-store', ['--generate-binary-cache-key', 'example-1', secret, written]);
  const key = secretOf(readFileSync(secret, 'utf8'));
  assert.equal(key.public.text, readFileSync(written, 'utf8').trim());
});

test('it signs as Nix signs with it', () => {
  const store = openPrivateStore(path.join(scratch, 'store'));
  const file = path.join(scratch, 'content');
  writeFileSync(file, 'content');
  const storePath = store.add(file);
  const text = nixKey(['generate-secret', '--key-name', 'n-1'], '');
  const keyFile = path.join(scratch, 'secret');
  writeFileSync(keyFile, text);
  const features = ['--extra-experimental-features', 'nix-command'];
  store.run('nix', ...features, 'store', 'sign', '--key-file', keyFile, storePath);
  const listed = store.run('nix', ...features, 'path-info', '--sigs', storePath).split(/\s+/);
  // What Nix signs of a store path (Nix manual, "Binary cache signatures"): path, hash, size, references.
  const hash = store.run('nix-store', '--query', '--hash', storePath);
  const message = `1;${storePath};${hash};${store.run('nix-store', '--query', '--size', storePath)};`;
  const ours = sign(null, Buffer.from(message), secretOf(text).key).toString('base64');
  assert.ok(listed.includes(`n-1:${ours}`), `${listed.join(' ')} has no n-1:${ours}`);
});

test('the key of RFC 8032, 7.1, test 1', () => {
  const text = 'rfc:nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2DXWpgBgrEKt9VL/tPJZAc6DuFy89qmIyWvAhpo9wdRGg==';
  const secret = secretOf(text);
  assert.equal(secret.public.text, 'rfc:11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=');
  assert.equal(
    sign(null, Buffer.alloc(0), secret.key).toString('hex'),
    'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
  );
});

const secret = secretKeyText('k', 1);
const bytes = Buffer.from(secret.slice(2), 'base64');
const publicText = secretOf(secret).public.text;

test('what is no key is refused, each with its reason', () => {
  const wrongHalf = Buffer.concat([bytes.subarray(0, 32), Buffer.alloc(32, 9)]).toString('base64');
  assert.equal(whySecret('\n'), 'it is empty');
  assert.match(whySecret(secret.slice(1)), /no name and colon/);
  assert.match(whySecret(secret.slice(2)), /no name and colon/);
  assert.match(whySecret(`a b${secret.slice(1)}`), /name is not of printable ASCII/);
  assert.match(whySecret(`\u043a${secret.slice(1)}`), /name is not of printable ASCII/);
  assert.match(whySecret(`${secret.slice(0, -4)}%%==`), /not in base 64/);
  assert.match(whySecret(secret.slice(0, -2)), /not in base 64/);
  assert.match(whySecret('k:AAAA'), /has 3 bytes, and a secret key has 64/);
  assert.match(whySecret(publicText), /as a public key has/);
  assert.match(whySecret(`k:${wrongHalf}`), /two halves .* do not belong together/);
  assert.match(whyPublic(secret), /is a secret key/);
  assert.match(whyPublic('k:AAAA'), /has 3 bytes, and a public key has 32/);
  assert.match(whyPublic(publicText.replace('=', '')), /not in base 64/);
  assert.match(whyPublic(publicText.slice(2)), /no name and colon/);
});

test('no reason shows the key', () => {
  for (const text of [secret, secret.slice(2), `${secret}x`, `k:x${secret.slice(2)}`, secret.slice(0, 60)]) {
    for (const why of [whySecret(text), whyPublic(text)]) assert.ok(!why.includes(secret.slice(4, 30)), why);
  }
});
