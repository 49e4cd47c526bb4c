// What was found of closest matches → what the user is told of them.
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import type { Judgement, Problem, Requirer } from '../../src/candidates/problem.ts';
import { isEvident } from '../../src/choices/evident-set.ts';
import { machinesRunBy } from '../../src/elf/machine.ts';
import { ForeignError } from '../../src/host/errors.ts';
import { bringing, type Demand } from '../../src/index/bring-packages.ts';
import {
  closestSentences,
  conflictError,
  hintForAround,
  nearestSentences,
} from '../../src/resolve/conflict-error.ts';
import { explained, noFetches } from '../../src/resolve/fetch-rounds.ts';
import type { Reason } from '../../src/solver/solution.ts';
import { solve } from '../../src/solver/solve.ts';
import { openCatalogue } from '../../src/store/catalogue.ts';
import { OTHER, putForeignLibrary, putForeignProgram } from '../elf/foreign-program.ts';
import { glibc, problem, provider, requirer } from '../solver/small-problem.ts';
import { scratchDirectory } from '../store/compiled-library.ts';

const program = requirer('/opt/program', { needed: ['liba.so.1'] });
const near = (version: string, versioned: 'versioned' | 'plain' = 'plain') =>
  provider(`${'x'.repeat(32)}-a-${version}`, 'liba.so.1', {
    soname: `liba.so.${version}`,
    closest: true,
    ...(versioned === 'versioned' ? { defines: ['A_9'] } : {}),
  });

function judged(...judgements: readonly (readonly [Requirer, Judgement['provider'], string, string?])[]) {
  const all = judgements.map(([by, offer, missing, versions = '']): Judgement => {
    const lost = missing.split(' ').filter(Boolean);
    const coverage = {
      needed: ['kept', ...lost],
      missing: lost,
      missingVersions: versions.split(' ').filter(Boolean),
    };
    return { by, provider: offer, coverage };
  });
  return {
    judged: () => all,
    coverage: (by: Requirer, _: string, offer: Judgement['provider']) =>
      all.find((each) => each.by === by && each.provider === offer)?.coverage ?? assert.fail('not judged'),
  };
}

test('a taken one: which file serves, and how many symbols are there', () => {
  const offers = { 'liba.so.1': [near('2')] };
  const stated: Problem = {
    ...problem({ roots: [program], offers, loaders: [glibc('2.36', [])] }),
    closest: judged([program, offers['liba.so.1'][0] as Judgement['provider'], '']),
  };
  const solution = solve(stated);
  assert.ok(solution.kind === 'solution');
  assert.deepEqual(closestSentences(solution, stated), [
    { what: 'liba.so.1 is served by liba.so.2 (a-2)', why: 'the symbol that is needed is there' },
  ]);
});

test('a symbol without version is held against one library only where no other is missing', () => {
  const two = near('2');
  const one = {
    ...judged([program, two, 'a']),
    judged: () => [
      { by: program, provider: two, coverage: { needed: ['a'], missing: ['a'], missingVersions: [] } },
    ],
  };
  const text = 'the nearest to liba.so.1 is liba.so.2 (a-2), which lacks the symbol needed (a)';
  assert.equal(nearestSentences(['liba.so.1'], one)[0]?.text, text);
  const may = `${text}, which names no version and may be of another missing library`;
  assert.equal(nearestSentences(['liba.so.1', 'libb.so.1'], one)[0]?.text, may);
  const versioned = judged([program, two, 'a@A_1 b']);
  const share =
    'the nearest to liba.so.1 is liba.so.2 (a-2), which lacks 2 of the 3 symbols needed (a@A_1, b)';
  assert.equal(nearestSentences(['liba.so.1', 'libb.so.1'], versioned)[0]?.text, share);
});

test('the nearest of those that were not taken: fewest versions, then symbols, over all that need it', () => {
  const other = requirer('/opt/other', { needed: ['liba.so.1'] });
  const [two, three, four] = [near('2'), near('3'), near('4', 'versioned')];
  const closest = judged(
    [program, two, 'a b c d e'],
    [program, three, 'a'],
    [other, three, 'b a'],
    [program, four, '', 'A_1'],
  );
  assert.deepEqual(nearestSentences(['liba.so.1'], closest), [
    {
      text: 'the nearest to liba.so.1 is liba.so.3 (a-3), which lacks 2 of the 3 symbols needed (a, b)',
      byHand: 'possible',
    },
  ]);
});

test('many symbols are cut; a version that the loader would refuse cannot be chosen by hand', () => {
  const closest = judged([program, near('4', 'versioned'), 'a b c d e', 'A_1 A_2']);
  assert.deepEqual(nearestSentences(['liba.so.1'], closest), [
    {
      text: 'the nearest to liba.so.1 is liba.so.4 (a-4), which lacks 5 of the 6 symbols needed (a, b, c and 2 more) and the versions A_1, A_2',
      byHand: 'refused',
    },
  ]);
});

test('where nothing is needed of the nearest, only its name speaks for it', () => {
  const offer = near('2');
  const coverage = { needed: [], missing: [], missingVersions: [] };
  const closest = { judged: () => [{ by: program, provider: offer, coverage }], coverage: () => coverage };
  assert.deepEqual(nearestSentences(['liba.so.1'], closest), [
    {
      text: 'the nearest to liba.so.1 is liba.so.2 (a-2), and nothing that is needed of it shows that it would do',
      byHand: 'possible',
    },
  ]);
  const parts = { roots: [program], offers: { 'liba.so.1': [offer] }, loaders: [glibc('2.36', [])] };
  const solution = solve({ ...problem(parts), closest });
  assert.ok(solution.kind === 'solution');
  assert.equal(isEvident(solution, { ...problem(parts), closest }), false);
  assert.ok(isEvident(solution, { ...problem(parts), closest: judged([program, offer, '']) }));
  const needy = requirer('/opt/program', { needed: ['liba.so.1', 'liba.so.2'] });
  const { match: _, ...same } = offer;
  const offers = { 'liba.so.1': [offer], 'liba.so.2': [same] };
  const stated = { ...problem({ ...parts, roots: [needy], offers }), closest };
  const both = solve(stated);
  assert.ok(both.kind === 'solution' && isEvident(both, stated));
  assert.deepEqual(closestSentences(both, stated), [
    { what: 'liba.so.1 is served by liba.so.2 (a-2)', why: 'it is loaded anyway, under its own name' },
  ]);
});

test('without other versions there is nothing to tell', () => {
  assert.deepEqual(nearestSentences(['liba.so.1'], judged()), []);
  assert.deepEqual(nearestSentences(['liba.so.1'], undefined), []);
});

const SYSTEM = `nix-build '<nixpkgs>' --argstr system ${OTHER.system}`;

test('what to type brings packages for the machine and the C library of the program', () => {
  const typed = (demand?: Demand) => bringing(['libfontconfig.so.1', 'libz.so.1'], demand);
  const [own] = machinesRunBy(process.arch);
  assert.equal(typed(), "e.g. nix-build '<nixpkgs>' -A fontconfig.lib -A zlib, and try again");
  assert.equal(typed({ elf: own }), typed());
  assert.equal(typed({ elf: OTHER }), `e.g. ${SYSTEM} -A fontconfig.lib -A zlib, and try again`);
  assert.match(
    typed({ libc: { kind: 'musl' } }),
    /'<nixpkgs>' -A pkgsMusl\.fontconfig\.lib -A pkgsMusl\.zlib,/,
  );
  assert.equal(
    bringing(['libnone.so.1', 'libz.so.1']),
    "e.g. nix-build '<nixpkgs>' -A zlib, and what has libnone.so.1, and try again",
  );
  assert.equal(bringing(['libnone.so.1']), "e.g. nix-build '<nixpkgs>' -A PACKAGE, and try again");
});

test('the attribute is that of the version that is missing', () => {
  const attributeFor = (soname: string) => / -A (\S+), and try again$/.exec(bringing([soname]))?.[1];
  assert.equal(attributeFor('libQt5Core.so.5'), 'libsForQt5.qtbase.out');
  assert.equal(attributeFor('libQt6Core.so.6'), 'kdePackages.qtbase');
  assert.equal(attributeFor('libpython3.12.so.1.0'), 'python312');
  assert.equal(attributeFor('libxml2.so.2'), 'libxml2_13.out');
  assert.equal(attributeFor('libtbbmalloc.so.2'), 'onetbb');
  assert.equal(
    bringing(['libicuuc.so.66', 'libicui18n.so.66', 'libz.so.1']),
    "e.g. nix-build '<nixpkgs>' -A icu -A zlib, from a nixpkgs that has libicuuc.so.66, libicui18n.so.66, and try again",
  );
});

test('of what nixpkgs does not have no attribute is given, but what can be done, once for each package', () => {
  const openssl =
    'libssl.so.1.1 belongs to OpenSSL 1.1, which nixpkgs marked insecure in 2023 and dropped in 2026; take openssl_1_1 from an older nixpkgs, or name an index of old packages (index in config.toml)';
  const names = ['libssl.so.1.1', 'libcrypto.so.1.1'];
  assert.equal(bringing(names, {}, 'bring them, '), openssl);
  assert.equal(
    bringing([...names, 'libz.so.1'], {}, 'bring them, '),
    `bring them, e.g. nix-build '<nixpkgs>' -A zlib, and try again; ${openssl}`,
  );
  assert.match(
    bringing(['libpcre.so.3'], { typedName: './my tool' }),
    /^libpcre\.so\.3 is Debian's name; .*: nix-foreign choose '\.\/my tool' --pin libpcre\.so\.3=/,
  );
  for (const name of ['libjpeg.so.8', 'libtiff.so.5', 'libidn.so.11', 'libpython3.10.so.1.0'])
    assert.ok(bringing([name]).startsWith(`${name} `), bringing([name]));

  const error = new ForeignError('x', { code: 'no-provider', hint: 'bring it', exitCode: 126 });
  const hintOf = (...names: string[]) => {
    const lacking = names.map((name) => ({ name }));
    return explained({ error, isBeside: false, lacking }, { ...noFetches(), isWithoutIndex: true }).hint;
  };
  assert.equal(hintOf(...names), 'bring it', 'no index of nixpkgs has it');
  const fetched = 'bring it; or get a file index of nixpkgs, and what is missing is fetched by itself';
  assert.equal(hintOf('libz.so.1'), `${fetched}: nix-foreign index status`);
  assert.equal(
    hintOf('libz.so.1', 'libssl.so.1.1'),
    `${fetched}, but for libssl.so.1.1: nix-foreign index status`,
  );
});

test('an error tells to bring packages for the machine of its program, whatever is missing', () => {
  const scratch = scratchDirectory();
  const catalogue = openCatalogue(':memory:', '/nix/store');
  const file = putForeignProgram(path.join(scratch, 'tool'), ['libz.so.1', 'libnothing.so.1']);
  const hintOf = (reasons: readonly Reason[], names: readonly string[] = []) => {
    const missing = names.map((name) => ({ name, neededBy: ['tool'] }));
    return conflictError(file, { kind: 'conflict', reasons, minimal: true }, { missing, catalogue }).hint;
  };
  const none = (name: string): Reason => ({ kind: 'no-provider', name, neededBy: ['tool'] });
  const old: Reason = {
    kind: 'missing-version',
    name: 'libz.so.1',
    version: 'ZLIB_9',
    neededBy: 'tool',
    neededByPath: file.path,
    offeredBy: '/nix/store/x/lib/libz.so.1',
    offeredIn: '/nix/store/x',
    offers: 1,
    highest: undefined,
  };
  const typed: readonly [attribute: string, hint: string][] = [
    ['zlib', hintOf([none('libz.so.1')], ['libz.so.1'])],
    ['zlib', hintOf([old])],
    ['glibc', hintOf([{ kind: 'no-loader' }])],
    ['PACKAGE', hintOf([{ kind: 'soname-clash', name: 'a', file: 'b', soname: 'c', other: 'd' }])],
  ];
  for (const [attribute, hint] of typed) assert.ok(hint.includes(`${SYSTEM} -A ${attribute}, and`), hint);

  putForeignLibrary(path.join(scratch, 'lib/libnothing.so.1'), { soname: 'libnothing.so.1' });
  const missing = ['libz.so.1', 'libnothing.so.1'].map((name) => ({ name, neededBy: ['tool'] }));
  const around = hintForAround(file, missing, catalogue);
  assert.ok(around?.includes(`--add libnothing.so.1=`) && around.includes(`${SYSTEM} -A zlib, and`), around);
  catalogue.close();
});
