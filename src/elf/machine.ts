// Class, e_machine and byte order → the names that Nix, nix-ld, glibc, musl and people have for that machine.

/** What of an ELF object decides which machine runs it. Byte order: little where it is not said. */
export interface MachineKey {
  readonly class: 32 | 64;
  readonly machine: number;
  readonly byteOrder?: 'little' | 'big';
}

export interface Machine extends Required<MachineKey> {
  /** For people: `64-bit ARM`. */
  readonly name: string;
  /** As in a derivation's `system`: `x86_64-linux`. */
  readonly system: string;
  /** Ends the names of nix-ld's own variables, NIX_LD_x86_64_linux (nix-ld, src/arch.rs). */
  readonly nixLdSuffix: string;
  /** Where programs of other distributions expect glibc's loader (glibc, shlib-versions and sysdeps Makefiles). */
  readonly interpreter: string;
  /** The loader's soname. */
  readonly loaderSoname: string;
  /** File name of musl's loader, in /lib (musl, configure: LDSO_PATHNAME). */
  readonly muslLoader: string;
}

type MachineRow = readonly [MachineKey['class'], number, 'little' | 'big', string, string, string, string];

// Arm is hard-float, RISC-V and LoongArch have the double-float ABI, MIPS and 32-bit Power the usual ones.
const ROWS: readonly MachineRow[] = [
  [64, 62, 'little', 'x86-64', 'x86_64-linux', '/lib64/ld-linux-x86-64.so.2', 'x86_64'],
  [32, 3, 'little', '32-bit x86', 'i686-linux', '/lib/ld-linux.so.2', 'i386'],
  [64, 183, 'little', '64-bit ARM', 'aarch64-linux', '/lib/ld-linux-aarch64.so.1', 'aarch64'],
  [32, 40, 'little', '32-bit ARM', 'armv7l-linux', '/lib/ld-linux-armhf.so.3', 'armhf'],
  [64, 243, 'little', '64-bit RISC-V', 'riscv64-linux', '/lib/ld-linux-riscv64-lp64d.so.1', 'riscv64'],
  [32, 243, 'little', '32-bit RISC-V', 'riscv32-linux', '/lib/ld-linux-riscv32-ilp32d.so.1', 'riscv32'],
  [64, 21, 'little', '64-bit Power (little-endian)', 'powerpc64le-linux', '/lib64/ld64.so.2', 'powerpc64le'],
  [64, 21, 'big', '64-bit Power (big-endian)', 'powerpc64-linux', '/lib64/ld64.so.1', 'powerpc64'],
  [32, 20, 'big', '32-bit Power', 'powerpc-linux', '/lib/ld.so.1', 'powerpc'],
  [64, 22, 'big', 'IBM Z', 's390x-linux', '/lib/ld64.so.1', 's390x'],
  [
    64,
    258,
    'little',
    'LoongArch',
    'loongarch64-linux',
    '/lib64/ld-linux-loongarch-lp64d.so.1',
    'loongarch64',
  ],
  [64, 8, 'little', '64-bit MIPS (little-endian)', 'mips64el-linux', '/lib64/ld.so.1', 'mips64el'],
  [32, 8, 'little', '32-bit MIPS (little-endian)', 'mipsel-linux', '/lib/ld.so.1', 'mipsel'],
  [64, 8, 'big', '64-bit MIPS (big-endian)', 'mips64-linux', '/lib64/ld.so.1', 'mips64'],
  [32, 8, 'big', '32-bit MIPS (big-endian)', 'mips-linux', '/lib/ld.so.1', 'mips'],
];

const machines: readonly Machine[] = ROWS.map(
  ([elfClass, machine, byteOrder, name, system, interpreter, musl]) => ({
    class: elfClass,
    machine,
    byteOrder,
    name,
    system,
    nixLdSuffix: system.replaceAll('-', '_'),
    interpreter,
    loaderSoname: interpreter.slice(interpreter.lastIndexOf('/') + 1),
    muslLoader: `ld-musl-${musl}.so.1`,
  }),
);

/** Machines that Nix has no system for, by e_machine (elf.h), to name them in messages. */
const OTHER_NAMES: ReadonlyMap<number, string> = new Map([
  [2, 'SPARC'],
  [4, 'Motorola 68000'],
  [15, 'PA-RISC'],
  [42, 'SuperH'],
  [43, 'SPARC V9'],
  [50, 'Itanium'],
  [62, 'x32'],
  [247, 'BPF'],
  [0x9026, 'Alpha'],
]);

/** `undefined` for a machine that Nix has no system for. */
export function findMachine(key: MachineKey): Machine | undefined {
  return machines.find((machine) => sameMachine(machine, key));
}

/** The machine of a Nix system, e.g. `x86_64-linux`. */
export function machineOfSystem(system: string): Machine | undefined {
  return machines.find((machine) => machine.system === system);
}

/** A configuration name of Linux: whose programs, and with which C library. */
interface ConfigurationName {
  /** `x86_64`. */
  readonly processor: string;
  /** `gnu`, `gnueabihf`, `musl`; empty where it is not said. */
  readonly abi: string;
}

/**
 * Directories that hold what is for one machine are named so: `x86_64-unknown-linux-gnu`, Debian's `x86_64-linux-gnu`,
 * `riscv64-linux` (nixpkgs, lib/systems/parse.nix). Undefined for any other name.
 */
export function configurationNamed(name: string): ConfigurationName | undefined {
  const [, processor, abi = ''] = /^([a-z][\w.]*)(?:-\w+)?-linux(?:-(\w+))?$/.exec(name) ?? [];
  return processor === undefined ? undefined : { processor, abi };
}

export function sameMachine(left: MachineKey, right: MachineKey): boolean {
  return (
    left.class === right.class &&
    left.machine === right.machine &&
    (left.byteOrder ?? 'little') === (right.byteOrder ?? 'little')
  );
}

/** A name for people, of any machine. */
export function machineName(key: MachineKey): string {
  const known = findMachine(key)?.name;
  if (known) return known;
  const size = `${key.class}-bit, ${key.byteOrder ?? 'little'}-endian`;
  return `${OTHER_NAMES.get(key.machine) ?? `machine ${key.machine}`} (${size})`;
}

/** The machines whose programs a kernel runs, its own first, by Node's `process.arch`. Empty when unknown. */
export function machinesRunBy(arch: string): readonly Machine[] {
  return (RUN_BY.get(arch) ?? []).flatMap((system) => machineOfSystem(system) ?? []);
}

const RUN_BY: ReadonlyMap<string, readonly string[]> = new Map([
  ['x64', ['x86_64-linux', 'i686-linux']],
  ['ia32', ['i686-linux']],
  ['arm64', ['aarch64-linux', 'armv7l-linux']],
  ['arm', ['armv7l-linux']],
  ['riscv64', ['riscv64-linux']],
  ['ppc64', ['powerpc64le-linux']],
  ['s390x', ['s390x-linux']],
  ['loong64', ['loongarch64-linux']],
]);

/**
 * By e_machine, what Linux says in AT_PLATFORM and ld.so puts for `$PLATFORM` (ELF_PLATFORM in Linux' asm/elf.h); on
 * other machines it depends on the processor, or is nothing. So it does on x86 too, which does not count: on Intel's
 * since Haswell it is `haswell` or `xeon_phi`, on old 32-bit ones `i586` (glibc sysdeps/x86/cpu-features.c,
 * init_cpu_features). Only the loader tells, and libraries beside a program are looked for before there is one.
 */
const PLATFORMS: ReadonlyMap<number, string> = new Map([
  [62, 'x86_64'],
  [3, 'i686'],
  [183, 'aarch64'],
]);

/** Undefined where it is not known by the machine alone. */
export function platformOf({ machine, byteOrder }: MachineKey): string | undefined {
  return byteOrder === 'big' ? undefined : PLATFORMS.get(machine);
}

/** glibc elf/cache.c, print_entry; 32-bit x86 has no name there (sysdeps/generic/dl-cache.h). */
const CACHE_FLAGS: ReadonlyMap<string, string> = new Map([
  ['x86_64-linux', 'libc6,x86-64'],
  ['aarch64-linux', 'libc6,AArch64'],
  ['armv7l-linux', 'libc6,hard-float'],
  ['riscv64-linux', 'libc6,double-float'],
]);

/** What `ldconfig -p` says in brackets of a library for this machine. */
export function cacheFlagsOf(machine: MachineKey): string {
  return CACHE_FLAGS.get(findMachine(machine)?.system ?? '') ?? 'libc6';
}
