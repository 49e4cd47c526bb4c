// The machine's own apt configuration → the address of the Debian mirror it uses, and how it reaches it.
import { execa } from 'execa';

const debianReleases =
  /^(bullseye|bookworm|trixie|forky|sid|stable|testing|unstable|oldstable|oldoldstable)$/;

/**
 * The address of the Debian archive this machine takes its packages from, such as `http://…/debian/`.
 * apt-get indextargets lists it even where no index was ever downloaded (apt-get(8)).
 */
export async function debianMirror(): Promise<string> {
  const { stdout } = await execa('apt-get', [
    'indextargets',
    '--format',
    '$(REPO_URI) $(RELEASE) $(COMPONENT)',
    'Created-By: Packages',
  ]);
  for (const line of stdout.split('\n')) {
    const [uri, release, component] = line.split(' ');
    if (uri && release && debianReleases.test(release) && component === 'main') return uri;
  }
  throw new Error(
    'the rig takes its packages from the Debian mirror of this machine, and apt knows none: add one to /etc/apt/sources.list',
  );
}

/** The machine's settings for reaching its mirror (proxies, retries), as lines of an apt.conf. */
export async function acquireSettings(): Promise<string> {
  const { stdout } = await execa('apt-config', ['dump']);
  return stdout
    .split('\n')
    .filter((line) => /^Acquire::(https?|Retries|ForceIPv[46])\b/.test(line) && !line.endsWith(' "";'))
    .join('\n');
}
