// A suite → an apt of its own, in a directory of its own, that knows this suite only and no installed package.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ExecaError, execa } from 'execa';
import { acquireSettings, debianMirror } from './mirror.ts';
import type { Suite } from './selection.ts';

/** One suite's apt: run its programs with `APT_CONFIG` set to `configuration`. */
export interface PrivateApt {
  readonly suite: Suite;
  readonly directory: string;
  readonly configuration: string;
}

const systemKeyring = '/usr/share/keyrings/debian-archive-keyring.gpg';

/**
 * Makes (or finds) the apt of `suite` below `directory` and updates its package lists. Nothing of the system's apt is
 * read but its mirror and proxy settings, nothing is written. `keyring` verifies the suite's signature.
 * The release files may be past their Valid-Until: an old mirror is good enough for a test.
 */
export async function preparePrivateApt(
  suite: Suite,
  directory: string,
  keyring = systemKeyring,
): Promise<PrivateApt> {
  const at = (...names: string[]) => join(directory, ...names);
  for (const part of [
    'state/lists/partial',
    'cache/archives/partial',
    'etc/apt.conf.d',
    'etc/sources.list.d',
  ]) {
    mkdirSync(at(part), { recursive: true });
  }
  for (const part of ['etc/preferences.d', 'etc/trusted.gpg.d', 'etc/auth.conf.d'])
    mkdirSync(at(part), { recursive: true });
  writeFileSync(at('status'), '');
  writeFileSync(at('etc/sources.list'), `deb [signed-by=${keyring}] ${await debianMirror()} ${suite} main\n`);
  const architectures = suite === 'bookworm' ? '"amd64"; "i386"; "arm64";' : '"amd64";';
  writeFileSync(
    at('apt.conf'),
    `${await acquireSettings()}
Dir::State "${at('state')}";
Dir::State::status "${at('status')}";
Dir::Cache "${at('cache')}";
Dir::Etc "${at('etc')}";
APT::Architecture "amd64";
APT::Architectures { ${architectures} };
APT::Sandbox::User "root";
APT::Install-Recommends "0";
Acquire::Languages "none";
Acquire::Check-Valid-Until "false";
Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled "false";
`,
  );
  const apt: PrivateApt = { suite, directory, configuration: at('apt.conf') };
  await execa('apt-get', ['update', '-qq'], { env: { APT_CONFIG: apt.configuration } });
  return apt;
}

/**
 * The same, and where the suite is signed with a key newer than this machine's keyring, once more with the keyring
 * package of `trusted`, a suite that this machine can verify.
 */
export async function preparePrivateAptWithNewerKeys(
  suite: Suite,
  directory: string,
  trusted: () => Promise<PrivateApt>,
): Promise<PrivateApt> {
  try {
    return await preparePrivateApt(suite, directory);
  } catch (error) {
    if (!(error instanceof ExecaError && /NO_PUBKEY/.test(String(error.stderr)))) throw error;
  }
  const unpacked = join(directory, 'keyring');
  if (!existsSync(unpacked)) {
    const apt = await trusted();
    mkdirSync(unpacked, { recursive: true });
    const env = { APT_CONFIG: apt.configuration };
    await execa('apt-get', ['download', '-qq', 'debian-archive-keyring'], { env, cwd: unpacked });
    await execa('sh', ['-c', 'dpkg-deb -x debian-archive-keyring_*.deb .'], { cwd: unpacked });
  }
  return preparePrivateApt(suite, directory, join(unpacked, systemKeyring));
}
