// The rig for arm64 and an emulator → a root that is an aarch64 machine: every program of it goes through qemu-user.
import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, cpSync, mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { after } from 'node:test';
import { needTool } from '../../launcher/tool-fixture.ts';
import type { Rig } from '../../rig/rig.ts';
import { homeInRoot, type Outcome, openRoot, type Root } from '../../rig/root.ts';
import { compile } from '../compile.ts';
import { onHost } from '../foreign-files.ts';
import { npmScript, packTool } from '../install/packed.ts';

needTool('qemu-aarch64-static', 'qemu-user-static');
needTool('aarch64-linux-gnu-gcc', 'gcc-aarch64-linux-gnu');
needTool('/usr/aarch64-linux-gnu/include/stdio.h', 'libc6-dev-arm64-cross');

/** By this name qemu knows that the kernel hands it `argv[0]` too; the rule is Debian's. */
const EMULATOR = '/usr/libexec/qemu-binfmt/aarch64-binfmt-P';
const MAGIC = String.raw`\x7f\x45\x4c\x46\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00`;
const MASK = String.raw`\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff`;
const RULE = `:qemu-aarch64:M::${MAGIC}:${MASK}:${EMULATOR}:OPF`;

/** Where a foreign program of aarch64 looks for its loader. */
export const INTERPRETER = '/lib/ld-linux-aarch64.so.1';

const prefix = path.join(homeInRoot, '.local');
export const installed = {
  command: path.join(prefix, 'bin/nix-run-foreign'),
  launcher: path.join(prefix, 'lib/node_modules/nix-run-foreign/dist/aarch64-linux/nix-run-foreign'),
};

/** What distributions have, so that scripts start; the rig's Node by its name. */
const furnish = (node: string): string => `
mkdir -p /bin /usr/bin /lib
ln -s "$BASH" /bin/sh && ln -s /nix/var/nix/profiles/default/bin/env /usr/bin/env
export PATH="$HOME/.local/bin:$PATH:${path.dirname(node)}"
`;

export interface ArmRoot extends Root {
  /** Runs a script of the arm64 bash, with the tool's commands on PATH. */
  session(script: string, env?: Readonly<Record<string, string>>): Promise<Outcome>;
  /** Compiles a program for Debian's arm64 into the home; returns its path in the root. */
  compileFor(name: string, source: string): string;
}

/** The README's own line: npm, which is JavaScript, is run by this machine's Node. */
function installPackage(homeDir: string): void {
  const { archive } = packTool();
  const file = path.join(homeDir, path.basename(archive));
  copyFileSync(archive, file);
  const words = ['install', '--global', '--prefix', path.join(homeDir, '.local'), file];
  const quiet = ['--offline', '--no-audit', '--no-fund', '--ignore-scripts'];
  const env = { PATH: '/usr/bin:/bin', HOME: homeDir, npm_config_cache: path.join(homeDir, '.npm') };
  execFileSync(process.execPath, [npmScript(), ...words, ...quiet], { env, stdio: 'pipe' });
}

/** Opens the machine with the package installed for its user; it is closed when the tests of the file have ended. */
export async function openArmRoot(rig: Rig): Promise<ArmRoot> {
  const root = await openRoot(rig, {
    binds: [{ from: '/usr/bin/qemu-aarch64-static', to: EMULATOR, mode: 'read-only' }],
  });
  after(() => root.close());
  installPackage(root.homeDir);
  const starter = path.join(homeInRoot, 'own-binfmt');
  const source = path.join(import.meta.dirname, '../binfmt/programs/own-binfmt.c');
  compile(onHost(root, starter), readFileSync(source, 'utf8'), ['-static', '-w']);
  return {
    ...root,
    session: (script, env = {}) =>
      root.run({
        argv: [starter, rig.bash, '-c', `${furnish(rig.node)}${script}`],
        env: { FIRST_RULE: RULE, ...env },
        timeoutMs: 240_000,
      }),
    compileFor: (name, text) => {
      const inRoot = path.join(homeInRoot, name);
      const output = onHost(root, inRoot);
      mkdirSync(path.dirname(output), { recursive: true });
      execFileSync('aarch64-linux-gnu-gcc', ['-x', 'c', '-o', output, '-'], { input: text });
      return inRoot;
    },
  };
}

/** Copies a program of the rig below the home; returns its path in the root. */
export function copyProgram(root: Root, from: string, name: string): string {
  const inRoot = path.join(homeInRoot, name);
  mkdirSync(path.dirname(onHost(root, inRoot)), { recursive: true });
  cpSync(from, onHost(root, inRoot));
  chmodSync(onHost(root, inRoot), 0o755);
  return inRoot;
}
