// The C readers → harnesses in c/, and real inputs that each begins with.
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { settingsText } from '../../src/plan/run-time-files.ts';
import { ANY_MACHINE, nameTableBytes } from '../../src/store/name-table.ts';
import { sonameTable } from '../../src/store/soname-table.ts';
import { buildElf } from '../elf/build-elf.ts';
import { identity, planText } from '../launcher/plan-fixture.ts';

export interface CTarget {
  /** `fuzz-<name>.c`. */
  readonly name: string;
  /** What of the product it is, for the table. */
  readonly reads: string;
  /** Bytes of the longest input. */
  readonly longest: number;
  readonly seeds: () => Iterable<string | Uint8Array>;
}

const LOADER = '/lib64/ld-linux-x86-64.so.2';
const SHELL = '/bin/sh';

function headsOf(files: readonly string[], size: number): Uint8Array[] {
  return files.map((file) => readFileSync(file).subarray(0, size));
}

/** Every tag there is, with files that are there. */
const RECORDS: readonly (readonly string[])[] = [
  [],
  ['f/bin/sh', `w${identity(SHELL)} ${SHELL}`, 'a/nowhere', 'd/usr', 'f/usr/bin', 'x/bin/sh'],
  [`l${LOADER}`, 'b/usr/lib:/nowhere', 'm/nowhere/module.so', '+LD_LIBRARY_PATH=/farm', 'k1:2:3:4.5:6.7 /x'],
  [`x${LOADER}`, 'A--argv0', '0', 'A--library-path', 'L/farm', 'P', 'n/lib64/ld-linux-x86-64.so.2'],
  ['V/lib64/ld-linux.so.2 /launcher', 'V/bin/sh ', 'u1:2:3:4.5:6.7 /bin/sh', 'e/nowhere', 'cPWD', 'vARGV0'],
  [`x${LOADER}`, 'm/nowhere/module.so', 'A--audit', 'A/nowhere/module.so', 'A--library-path', 'L/farm', 'P'],
  ['x/bin/true', 'm/nowhere/module.so', 'A/bin/true', 'A--audit'],
  ['jNIX_LD_LIBRARY_PATH=/farm', 'NNIX_LD', '+A=', '+A=2', 'F', 'r/root', `h${'0'.repeat(64)}`, 'oname'],
];

function plans(): Uint8Array[] {
  return RECORDS.flatMap((records) =>
    [0, 1, 2].map((how) => Buffer.concat([Buffer.of(how), Buffer.from(planText(SHELL, records))])),
  );
}

const SCRIPTS = [
  '#!/bin/sh\necho\n',
  '#! /usr/bin/env -S node --flag\n',
  '#!/nowhere/python3\r\nx',
  '#!\t /nowhere/ruby \t -w  \n',
  `#!/${'x'.repeat(300)}`,
  '#!',
  'text',
];

function programHeads(): Uint8Array[] {
  const own = { class: 64, byteOrder: 'little', machine: 62, entry: 0x40_0010 } as const;
  return [
    ...headsOf(['/bin/true', LOADER, process.execPath], 2048),
    buildElf({ ...own, interpreter: LOADER, dynamic: { needed: ['libc.so.6'] } }),
    buildElf({ ...own, dynamic: { extra: [[0x6fff_fffb, 0x0800_0000]] } }),
    buildElf({ ...own, class: 32, machine: 3, interpreter: '/lib/ld-linux.so.2' }),
    Buffer.from('#!/bin/sh\n'),
  ];
}

/** Loaders that are whole in a few kilobytes, and the head of a real one. */
function loaders(): Uint8Array[] {
  const own = { class: 64, byteOrder: 'little', machine: 62, entry: 0x40_0010, dynamic: {} } as const;
  const whole = buildElf(own);
  const extra = { type: 1, offset: 0, address: 0x50_0000, size: whole.length };
  return [
    ...headsOf([LOADER], 4096),
    whole,
    buildElf({ ...own, extraSegments: [extra, { ...extra, address: 0x60_0000 }] }),
  ];
}

function nameTables(): Uint8Array[] {
  const names = Array.from({ length: 40 }, (_, i) => `libname-${i}.so`);
  const values = new Map([...names, 'libz.so.1'].map((name) => [name, `/nix/store/x/${name}`]));
  return [
    sonameTable([...names, 'libz.so.1', 'libssl.so.3'], { machine: 62, catalogue: 7n }),
    sonameTable(['libz.so.1'], { machine: 62, catalogue: 7n }),
    nameTableBytes(values.keys(), values, { machine: ANY_MACHINE, catalogue: 7n }),
  ];
}

function settings(): string[] {
  const one = {
    sonameTable: '/cache/sonames',
    resolver: { file: '/bin/sh', argv: [{ text: 'sh' }, 'name', 'requester', 'process'] },
    defaultDirectories: ['/lib', '/usr/lib'],
    environment: { PATH: '/bin', HOME: '/' },
  } as const;
  return [
    settingsText(one, '/run-time/learned'),
    'nix-run-foreign run-time 1\0T3600\0S/nix/store\0D/lib\0.\0',
    'nix-run-foreign run-time 1\0.\0',
  ];
}

const STARTS = [
  '\x00\x00a./found\na--option\neHOME=/home/me\neLD_LIBRARY_PATH=/mine\nePATH=/bin\n',
  '\x03\x00a./found\neLD_AUDIT=/my/audit.so\neNIX_LD_LIBRARY_PATH=/nix-ld\neNIX_LD=/lib/ld\n',
  '\x02\x80a./found\neA=1\neNIX_LD_LIBRARY_PATH_x86_64_linux=/nix-ld\nex\neNODE_OPTIONS=-r x\n',
  '\x06\x81a/lib/ld-linux.so.2\na--library-path\na/x\na--argv0\nan\naprogram\neLC_ALL=C\nx\x17\x01\nx\x0b\x01\n',
  '\x07\x01\neLD_LIBRARY_PATH=\neLD_LIBRARY_PATH=/last\neNIX_RUN_FOREIGN_LIBRARY_ORDER=user-first\n',
];

const AUDIT_STARTS = [
  'a./found\neLD_AUDIT=/cache/run-time/x/nix-foreign-audit.so\neA=1\n',
  'a./found\neLD_AUDIT=/mine.so:/cache/x/nix-foreign-audit-once.so:/other.so\n',
  'eLD_AUDIT=/cache/x/nix-foreign-audit-once.so\neB=\n',
  'a./found\neLD_AUDIT=/mine.so:/cache/x/nix-foreign-audit-in-2.so\neA=1\n',
  'eA=1\neLD_AUDIT=/cache/x/nix-foreign-audit-in-1.so\n',
  'a--audit\na/cache/x/nix-foreign-audit.so\na--library-path\na/farm\na./found\n',
];

const PASSWD = 'root:x:0:0:root:/root:/bin/bash\nme:x:1:1::/home/me:/bin/sh\nnobody:x:65534:65534:::\n';

const PLACES = [
  `a./found\neHOME=/root\nx\x0b\x00\n\n${PASSWD}`,
  `a./found\neXDG_CACHE_HOME=/tmp\neHOME=relative\n\n${PASSWD}`,
  `a./found\neHOME=/tmp/\xc3\xa9\nx\x0c\x01\n\n${PASSWD}me:x:1:1::/home/me\n`,
  `a./found\n\n${PASSWD.replaceAll('\n', ':more\n')}`,
];

export const C_TARGETS: readonly CTarget[] = [
  { name: 'plan', reads: 'plan, its conditions, argv and envp by it', longest: 4096, seeds: plans },
  { name: 'script-line', reads: '`#!` line', longest: 600, seeds: () => SCRIPTS },
  { name: 'program-head', reads: 'ELF headers of a program', longest: 4096, seeds: programHeads },
  { name: 'map-loader', reads: 'ELF mapping of a loader', longest: 8192, seeds: loaders },
  { name: 'name-table', reads: 'soname table, answers', longest: 8192, seeds: nameTables },
  { name: 'run-time-settings', reads: 'settings of the audit module', longest: 4096, seeds: settings },
  { name: 'argument-block', reads: 'argv, envp, auxiliary vector', longest: 2048, seeds: () => STARTS },
  { name: 'own-place', reads: "the audit module's own path", longest: 2048, seeds: () => AUDIT_STARTS },
  { name: 'places', reads: '/etc/passwd, HOME, XDG_CACHE_HOME', longest: 2048, seeds: () => PLACES },
];

/** A file for each seed. */
export function writeSeeds({ seeds }: CTarget, directory: string): void {
  let count = 0;
  for (const seed of seeds()) {
    const bytes = typeof seed === 'string' ? Buffer.from(seed, 'latin1') : seed;
    writeFileSync(path.join(directory, `seed-${count}`), bytes);
    count += 1;
  }
}
