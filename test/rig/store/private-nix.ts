// A directory and a command → the command run where that directory is /nix, in a mount namespace of its own.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';

/** Settings for a store without daemon, build users, sandbox and network (nix.conf(5)). */
export const nixConfiguration = `build-users-group =
sandbox = false
substitute = false
substituters =
`;

/** The environment in which Nix's programs use the local store below /nix and nothing of the user's configuration. */
export function nixEnvironment(scratch: string): Record<string, string> {
  mkdirSync(join(scratch, 'etc'), { recursive: true });
  writeFileSync(join(scratch, 'etc', 'nix.conf'), nixConfiguration);
  return {
    NIX_CONF_DIR: join(scratch, 'etc'),
    NIX_REMOTE: 'local',
    HOME: join(scratch, 'home'),
    PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    LC_ALL: 'C',
  };
}

/** Runs a command of the host as root with `nix` mounted at /nix; calls `onLine` for each line of stderr. */
export async function withNixMounted(
  nix: string,
  command: readonly [string, ...string[]],
  env: Record<string, string>,
  onLine: (line: string) => void = () => {},
): Promise<string> {
  mkdirSync('/nix', { recursive: true });
  const script = 'mount --bind "$1" /nix && shift && exec "$@"';
  const run = execa('unshare', ['-m', 'sh', '-c', script, 'sh', nix, ...command], {
    env,
    extendEnv: false,
    stdin: 'ignore',
    maxBuffer: 1 << 28,
  });
  for await (const line of run.iterable({ from: 'stderr' })) onLine(String(line));
  return (await run).stdout;
}
