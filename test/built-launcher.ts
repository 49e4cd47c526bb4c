// The C sources, compiler and flags → a launcher that is compiled once for all tests, copied with the paths it names.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { buildLauncher, type LauncherBuild } from '../scripts/build-launcher.ts';

const project = path.resolve(import.meta.dirname, '..');
const cache = path.join(project, 'node_modules/.cache/launchers');

/** Names in the compiled file in place of the resolver's paths; a path of up to this length can take their place. */
const placeholders = { node: `/node/${'n'.repeat(250)}`, script: `/script/${'s'.repeat(250)}` } as const;

const inputs = [
  ...readdirSync(path.join(project, 'launcher')).map((name) => `launcher/${name}`),
  ...['scripts/build-launcher.ts', 'scripts/compile-c.ts', 'package.json'],
];

function keyOf(cc: string, flags: readonly string[]): string {
  const hash = createHash('sha256').update(JSON.stringify([cc, flags, placeholders]));
  for (const name of inputs.sort()) hash.update(`\0${name}\0`).update(readFileSync(path.join(project, name)));
  return hash.digest('hex').slice(0, 32);
}

/** The C string `placeholder` in `image` becomes `value`, with NULs up to its old end. */
function fill(image: Buffer, placeholder: string, value: string): void {
  const bytes = Buffer.from(value);
  const at = image.indexOf(`${placeholder}\0`);
  if (at === -1 || image.includes(placeholder, at + 1)) throw new Error(`${placeholder} is not there once`);
  if (bytes.length > placeholder.length) throw new Error(`${value} is too long`);
  image.fill(0, at, at + placeholder.length);
  bytes.copy(image, at);
}

/** As `buildLauncher` of scripts/, but compiles only what no test has compiled from these sources before. */
export async function builtLauncher({
  output,
  node = '',
  script = '',
  cc = 'cc',
  flags = [],
}: LauncherBuild): Promise<void> {
  const compiled = path.join(cache, keyOf(cc, flags));
  if (!existsSync(compiled)) await buildLauncher({ output: compiled, ...placeholders, cc, flags });
  const image = readFileSync(compiled);
  fill(image, placeholders.node, node);
  fill(image, placeholders.script, script);
  mkdirSync(path.dirname(output), { recursive: true });
  writeFileSync(`${output}.new`, image, { mode: 0o755 });
  renameSync(`${output}.new`, output);
}
