// A fresh checkout → everything `npm start`, `npm test`, `npm run demo` and `npm run bench` need: npm packages, Debian
// packages, a build.
// Plain JavaScript: it runs on whatever Node the machine has, before the pinned one is installed.
import { spawnSync } from 'node:child_process';
import { existsSync, lstatSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';

const PROJECT = path.resolve(import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname), '..');
const CAN_BUILD = Number(process.versions.node.split('.')[0]) >= 24;

/** Debian package → a command of it that must be there: what builds a launcher. */
const COMPILER = { gcc: 'cc' };

/** The same, for all but `npm start`. */
const TOOLS = {
  ...COMPILER,
  'nix-bin': 'nix-store',
  patchelf: 'patchelf',
  bubblewrap: 'bwrap',
  strace: 'strace',
  binutils: 'readelf',
};

/**
 * What only tests need, all at once before the first: an installation beside them changes the programs that some look at.
 * A test that runs alone installs its own (test/launcher/tool-fixture.ts).
 */
const TEST_TOOLS = {
  attr: 'setfattr',
  clang: 'clang',
  lld: 'ld.lld',
  'desktop-file-utils': 'desktop-file-validate',
  direnv: 'direnv',
  dosfstools: 'mkfs.vfat',
  elfutils: 'eu-unstrip',
  fish: 'fish',
  'gcc-aarch64-linux-gnu': 'aarch64-linux-gnu-gcc',
  'gcc-powerpc64-linux-gnu': 'powerpc64-linux-gnu-gcc',
  gdb: 'gdb',
  'golang-go': 'go',
  'groff-base': 'groff',
  'libarchive-tools': 'bsdtar',
  'libc6-dev-arm64-cross': '/usr/aarch64-linux-gnu/include/stdio.h',
  'libc6-dev-ppc64-cross': '/usr/powerpc64-linux-gnu/include/stdio.h',
  'man-db': 'man',
  mandoc: 'mandoc',
  mold: 'mold',
  'musl-tools': 'musl-gcc',
  'ocaml-nox': 'ocamlc',
  'qemu-user': 'qemu-aarch64',
  'qemu-user-static': 'qemu-aarch64-static',
  sbcl: 'sbcl',
  shellcheck: 'shellcheck',
  'squashfs-tools': 'mksquashfs',
  tmux: 'tmux',
  xorriso: 'xorriso',
  zsh: 'zsh',
  'zsh-autosuggestions': '/usr/share/zsh-autosuggestions/zsh-autosuggestions.zsh',
  'zsh-syntax-highlighting': '/usr/share/zsh-syntax-highlighting/zsh-syntax-highlighting.zsh',
};

function said(command, ...args) {
  return spawnSync(command, args, { encoding: 'utf8' }).stdout?.trim() ?? '';
}

/** What `cc -m32` needs to link. Without it the compiler names its 64-bit library for `-m32` too. */
function toolsFor32Bit() {
  if (process.arch !== 'x64') return {};
  const version = said('gcc', '-dumpversion');
  if (version === '') return {};
  const library = path.join(path.dirname(said('gcc', '-print-libgcc-file-name')), '32/libgcc.a');
  return { 'libc6-dev-i386': '/usr/lib32/crt1.o', [`gcc-${version}-multilib`]: library };
}

function say(text) {
  process.stderr.write(`prepare: ${text}\n`);
}

/** What went wrong; undefined where nothing did. */
function failureOf(command, args) {
  const { status, error } = spawnSync(command, args, { cwd: PROJECT, stdio: ['ignore', 2, 2] });
  if (status === 0) return undefined;
  return `${command} ${args.join(' ')} failed${error ? `: ${error.message}` : ''}`;
}

function run(command, args) {
  const failure = failureOf(command, args);
  if (failure === undefined) return;
  say(failure);
  process.exit(1);
}

function newest(entry) {
  const stats = statSync(entry);
  if (!stats.isDirectory()) return stats.mtimeMs;
  return Math.max(0, ...readdirSync(entry).map((name) => newest(path.join(entry, name))));
}

function isCurrent(product, sources) {
  const file = path.join(PROJECT, product);
  return (
    existsSync(file) &&
    sources.every((source) => newest(path.join(PROJECT, source)) <= statSync(file).mtimeMs)
  );
}

function installNpmPackages() {
  if (isCurrent('node_modules/.package-lock.json', ['package-lock.json'])) return;
  if (lstatSync(path.join(PROJECT, 'node_modules'), { throwIfNoEntry: false })?.isSymbolicLink()) {
    say(
      'node_modules is a link and older than package-lock.json: npm ci would empty what it leads to; run it there',
    );
    process.exit(1);
  }
  say('installing npm packages');
  const words = ['ci', '--no-audit', '--no-fund'];
  const failure = failureOf('npm', words);
  if (failure === undefined) return;
  say(failure);
  if (!CAN_BUILD) needNode('if the Node that it brings does not start here');
  say('installing them without the Node that one of them brings');
  run('npm', [...words, '--ignore-scripts']);
}

function needNode(why) {
  say(`${why}: put Node 24 or newer on PATH, this is ${process.version}`);
  process.exit(1);
}

/** The pinned Node, which is one for glibc; where it does not start (NixOS, musl), the one that runs this. */
function nodeThatBuilds() {
  const pinned = path.join(PROJECT, 'node_modules/.bin/node');
  if (said(pinned, '--version') !== '') return pinned;
  if (!CAN_BUILD) needNode('the Node of the npm package node does not start here');
  return process.execPath;
}

function isOnPath(command) {
  if (command.startsWith('/')) return existsSync(command);
  return (process.env.PATH ?? '').split(':').some((directory) => existsSync(path.join(directory, command)));
}

function missingOf(tools) {
  return Object.keys(tools).filter((name) => !isOnPath(tools[name]));
}

function installDebianPackages() {
  const event = process.env.npm_lifecycle_event;
  const missing = missingOf(event === 'prestart' ? COMPILER : TOOLS);
  const canInstall = process.getuid?.() === 0 && isOnPath('apt-get');
  if (missing.length > 0 && !canInstall) {
    const how = isOnPath('apt-get') ? `: sudo apt-get install ${missing.join(' ')}` : '';
    say(`missing: ${missing.join(', ')}; install them first${how}`);
    process.exit(1);
  }
  install(missing);
  if (event === 'pretest' && canInstall) install(missingOf({ ...TEST_TOOLS, ...toolsFor32Bit() }));
}

function install(missing) {
  if (missing.length === 0) return;
  say(`installing Debian packages: ${missing.join(', ')}`);
  process.env.DEBIAN_FRONTEND = 'noninteractive';
  run('apt-get', ['-qq', 'update']);
  const options = ['-qq', '-y', '--no-install-recommends', '-o', 'DPkg::Lock::Timeout=300'];
  run('apt-get', [...options, 'install', ...missing]);
}

function build() {
  const sources = ['src', 'launcher', 'audit', 'man', 'scripts', 'package.json'];
  if (isCurrent('dist/nix-foreign.cjs', sources) && isCurrent('bin/nix-run-foreign', [])) return;
  say('building');
  run(nodeThatBuilds(), ['scripts/build.ts']);
}

installNpmPackages();
installDebianPackages();
build();
