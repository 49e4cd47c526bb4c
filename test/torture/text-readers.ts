// Texts of others → what is read of them: fingerprints, keys, configuration, what Nix and ld.so print, desktop entries, plans.
import { homedir } from 'node:os';
import { choicesText, parseChoices } from '../../src/choices/parse-choices.ts';
import { parseConfig } from '../../src/config/parse-config.ts';
import { canonicalText, signedText } from '../../src/fingerprint/fingerprint.ts';
import { parseFingerprint } from '../../src/fingerprint/parse-fingerprint.ts';
import {
  parsePublicKey,
  parseSecretKey,
  signFingerprint,
  verifyText,
} from '../../src/fingerprint/signature.ts';
import { entriesOfTree, findInTree, treeText } from '../../src/fingerprint/tree-file.ts';
import { readUndoText } from '../../src/integrations/patch/undo-record.ts';
import {
  programOfExec,
  rewriteEntry,
  shimOfEntry,
  withProgram,
} from '../../src/integrations/shims/desktop-entry.ts';
import { readShimText, shimText } from '../../src/integrations/shims/shim-file.ts';
import { parseListOutput, parseUndefinedSymbols } from '../../src/ldso/ask-loader.ts';
import { readSearchPaths } from '../../src/ldso/search-paths.ts';
import { parsePlan, serialisePlan } from '../../src/plan/plan-format.ts';
import { nixLog } from '../../src/store/nix-log.ts';
import { parseDump } from '../../src/store/path-info.ts';
import { parseDryRun } from '../../src/store/preview-fetch.ts';
import { parseRoots } from '../../src/store/sizes.ts';
import { changed, good, STORE, secretKey, secretKeyText } from '../fingerprint/documents.ts';
import { planText } from '../launcher/plan-fixture.ts';
import type { Reader } from './readers.ts';

const text = (bytes: Buffer): string => bytes.toString('utf8');

function expect(holds: boolean, what: string): void {
  if (!holds) throw new Error(`must not ${what}`);
}

/** What is shown of a refusal drives no terminal. */
function expectPrintable(why: string): void {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
  expect(!/[\u0000-\u001f\u007f-\u009f]/.test(why), `say control characters: ${JSON.stringify(why)}`);
}

const key = secretKey('key-1', 1);
const documents = (): string[] => [
  canonicalText(good),
  signedText(good, [signFingerprint(good, key)]),
  canonicalText(changed((each) => each.libraries.pop())),
];

function readFingerprint(bytes: Buffer): unknown {
  const parsed = parseFingerprint(text(bytes), STORE);
  if (parsed.kind === 'refused') expectPrintable(parsed.why);
  else expect(signedText(parsed.fingerprint, parsed.signatures).length > 0, 'forget a document');
  return parsed;
}

function trees(): string[] {
  const entries = ['01', '02', '03'].map((byte) => ({
    sha256: byte.repeat(32),
    text: canonicalText(changed((each) => Object.assign(each.program, { sha256: byte.repeat(32) }))),
  }));
  return [treeText(entries), treeText(entries.slice(1)), treeText([])];
}

function readTree(bytes: Buffer): unknown {
  const tree = text(bytes);
  const entries = entriesOfTree(tree);
  if (entries.kind === 'refused') expectPrintable(entries.why);
  const found = findInTree(tree, '02'.repeat(32));
  if (found.kind === 'found') expectPrintable(JSON.stringify(parseFingerprint(found.text, STORE).kind));
  return found;
}

const CONFIGURATION = [
  'sources = ["https://example.org/fingerprints", "/srv/fingerprints"]\nstrict = true\nsource-timeout = 2.5\n',
  'trusted-fingerprint-keys = ["key-1:AAAA"]\nsubstitute = false\nfetch = "ask"\nfetch-limit = 100\n# end\n',
  'index = "/var/index"\nindex-age = 60\ndriver-directories = ["/run/opengl-driver/lib"]\n[table]\nx = 1979-05-27\n',
];

const SAID_BY_NIX = [
  `these derivations will be built:
  /nix/store/${'c'.repeat(32)}-x.drv
these paths will be fetched (15.62 MiB download, 44.87 MiB unpacked):
  /nix/store/${'a'.repeat(32)}-libfoo-1.2
don't know how to build these paths (may be caused by read-only store access):
  /nix/store/${'b'.repeat(32)}-lib
`,
  `this path will be fetched (0.04 MiB download, 0.11 MiB unpacked):\n  /nix/store/${'a'.repeat(32)}-zlib-1.3\n`,
  `\u001b[31;1merror:\u001b[0m build of '/nix/store/${'a'.repeat(32)}-x' failed\n`,
];

const LOG_OF_NIX = [
  [
    '@nix {"action":"start","id":1,"level":5,"text":"","type":102}',
    '@nix {"action":"result","fields":[100,3000],"id":1,"type":106}',
    '@nix {"action":"start","fields":["/nix/store/a","https://cache.example","local"],"id":7,"level":3,"type":100}',
    '@nix {"action":"result","fields":[1000,2000,0,0],"id":7,"type":105}',
    '@nix {"action":"msg","level":0,"msg":"\\u001b[31;1merror:\\u001b[0m no"}',
    '@nix {"action":"stop","id":7}',
    '',
  ].join('\n'),
];

function readLog(bytes: Buffer): unknown {
  const log = nixLog(() => {});
  const said = text(bytes);
  log.take(said.slice(0, said.length >> 1));
  log.take(said.slice(said.length >> 1));
  expect(log.words().length <= said.length + (1 << 20), 'say more than it was told');
  return log.words();
}

const DUMP = [
  `/nix/store/${'a'.repeat(32)}-x\n${'0'.repeat(64)}\n1234\n\n2\n/nix/store/b\n/nix/store/c\n/nix/store/d\n${'1'.repeat(64)}\n1\n/x.drv\n0\n`,
];
const ROOTS = [
  '/nix/var/nix/gcroots/auto/x -> /nix/store/a\n"/home/me/a -> b" -> /nix/store/b\n/proc/1/exe -> /nix/store/c\n{censored} -> /x\n',
];

const LISTED = [
  '\tlinux-vdso.so.1 (0x00007fff)\n\tlibc.so.6 => /nix/store/a/lib/libc.so.6 (0x00007f00)\n\tlibx.so => not found\n\t/lib64/ld.so (0x1)\n',
  './p: error while loading shared libraries: libx.so.1: cannot open shared object file: No such file or directory\n',
  "./p: /lib/libc.so.6: version `GLIBC_2.38' not found (required by ./p)\nundefined symbol: x, version V\t(./p)\n",
];
const SEARCHED = [
  '      7:\t search path=/a/glibc-hwcaps/x86-64-v3:/a\t\t(--library-path)\n      7:\t search path=/lib\t\t(system search path)\n',
];

const ENTRIES = [
  '[Desktop Entry]\nType=Application\nName=App\nName[de]=Programm\nTryExec=app\nExec=app %U\nIcon=app\nPath=.\nDBusActivatable=true\n\n[Desktop Action new]\nExec=env A=1 "/opt/my app/app" --new "a\\\\"b"\n',
  '[Desktop Entry]\nX-Nix-Run-Foreign-Shim=app\nExec=/opt/app %%f\n',
];

function readEntry(bytes: Buffer): unknown {
  const entry = text(bytes);
  const isProgram = (named: string) => named.endsWith('app');
  const rest = { icon: (named: string) => named, directory: (named: string) => named };
  const rewritten = rewriteEntry(entry, { shim: '/shims/a b', name: 'app', isProgram, ...rest });
  const exec = /^Exec=(.*)$/m.exec(entry)?.[1] ?? '';
  if (programOfExec(exec) !== undefined) {
    const program = programOfExec(withProgram(exec, '/shims/a%b"c'));
    expect(
      program === '/shims/a%b"c',
      `name ${JSON.stringify(program)} in place of the shim in ${JSON.stringify(exec)}`,
    );
  }
  return [rewritten, shimOfEntry(entry)];
}

const CHOICES = {
  pins: { 'libz.so.1': '/nix/store/a/lib/libz.so.1' },
  exclude: ['*-debug'],
  prefer: ['zlib*'],
  add: { 'libx.so': null },
};

const RECORDS = [
  'f/bin/sh',
  'd/usr',
  'x/bin/sh',
  'l/lib/ld.so',
  'b/farm',
  '+A=b=c',
  'A--x',
  'P',
  '0',
  'V/bin /x',
];

function readPlanBytes(bytes: Buffer): unknown {
  const plan = parsePlan(bytes);
  if (plan !== undefined) expect(serialisePlan(plan).equals(bytes), 'read what it would not write');
  return plan;
}

const UNDO = [
  `${JSON.stringify({ version: 1, files: [{ sha256: '0'.repeat(64), size: 100, mode: 493, mtime: '170', ranges: [[8, '00ff']], added: { at: 90, length: 10 } }] })}\n`,
];

function readKeys(bytes: Buffer): unknown {
  const line = text(bytes);
  const [open, secret] = [parsePublicKey(line), parseSecretKey(line)];
  for (const each of [open, secret]) if (each.kind === 'refused') expectPrintable(each.why);
  return open.kind === 'key' ? verifyText('text', [line], [open.key]) : secret;
}

function printableRefusal(answer: { readonly kind: string; readonly why?: string }): unknown {
  if (answer.kind === 'refused') expectPrintable(answer.why ?? '');
  return answer;
}

export const TEXT_READERS: readonly Reader[] = [
  { name: 'fingerprints', form: 'json', seeds: documents, read: readFingerprint },
  { name: 'tree files', form: 'lines', seeds: trees, read: readTree },
  { name: 'keys', form: 'lines', seeds: () => [secretKeyText('key-1', 1), 'a:AAAA'], read: readKeys },
  {
    name: 'config.toml',
    form: 'lines',
    seeds: () => CONFIGURATION,
    read: (bytes) => parseConfig(text(bytes), `${homedir()}/config.toml`),
  },
  {
    name: 'choices',
    form: 'json',
    seeds: () => [choicesText('/p', CHOICES)],
    read: (bytes) => printableRefusal(parseChoices(text(bytes), '/p')),
  },
  {
    name: 'dry-run text of Nix',
    form: 'lines',
    seeds: () => SAID_BY_NIX,
    read: (bytes) => parseDryRun(text(bytes)),
  },
  { name: "Nix's JSON log", form: 'json', seeds: () => LOG_OF_NIX, read: readLog },
  {
    name: "Nix's dump and roots",
    form: 'lines',
    seeds: () => [...DUMP, ...ROOTS],
    read: (bytes) => [parseDump(text(bytes)), parseRoots(text(bytes))],
  },
  {
    name: 'what ld.so prints',
    form: 'lines',
    seeds: () => [...LISTED, ...SEARCHED],
    read: (bytes) => {
      const said = text(bytes);
      parseUndefinedSymbols(said);
      readSearchPaths(said, [2, 40]);
      return parseListOutput(said, said, './p', ['a\nb']);
    },
  },
  { name: 'desktop entries', form: 'lines', seeds: () => ENTRIES, read: readEntry },
  {
    name: 'shims',
    form: 'lines',
    seeds: () => [shimText('/l', '/p'), shimText('/a b', "/it's")],
    read: (bytes) => readShimText(text(bytes)),
  },
  { name: 'plans', form: 'bytes', seeds: () => [planText('/bin/sh', RECORDS)], read: readPlanBytes },
  { name: 'undo records', form: 'json', seeds: () => UNDO, read: (bytes) => readUndoText(text(bytes)) },
];
