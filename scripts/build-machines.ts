// The C sources → a launcher and an audit module for each machine, where the package has them.
import { readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { buildAudit } from './build-audit.ts';
import { buildLauncher } from './build-launcher.ts';
import { BUILT_BY, type Compiler, PROJECT, SYSTEMS } from './compile-c.ts';

/** The machine's own compiler, where clang and lld cannot do it. */
function ownCompiler(system: string): Compiler | undefined {
  const [, flags] = BUILT_BY[process.arch]?.find(([own]) => own === system) ?? [];
  return flags === undefined ? undefined : { cc: process.env['CC'] || 'cc', flags };
}

async function build(directory: string, system: string, compiler: Compiler): Promise<void> {
  const at = path.join(directory, system);
  await buildLauncher({ output: path.join(at, 'nix-run-foreign'), ...compiler });
  await buildAudit({ output: path.join(at, 'nix-foreign-audit.so'), ...compiler });
}

/** Undefined when it is there; else why not, of the last compiler that was tried. */
async function whyNotBuilt(directory: string, system: string): Promise<string | undefined> {
  let why = 'no compiler builds for it';
  for (const compiler of [SYSTEMS[system], ownCompiler(system)]) {
    if (compiler === undefined) continue;
    try {
      await build(directory, system, compiler);
      return undefined;
    } catch (error) {
      why = error instanceof Error ? error.message : String(error);
    }
  }
  rmSync(path.join(directory, system), { recursive: true, force: true });
  return why;
}

/** Writes DIRECTORY/SYSTEM/{nix-run-foreign,nix-foreign-audit.so}. Returns the systems it could not, each with why. */
export async function buildMachines(
  directory: string,
): Promise<readonly (readonly [system: string, why: string])[]> {
  const systems = Object.keys(SYSTEMS);
  const whys = await Promise.all(
    systems.map(async (system) => [system, await whyNotBuilt(directory, system)] as const),
  );
  return whys.flatMap(([system, why]) => (why === undefined ? [] : [[system, why] as const]));
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: { output: { type: 'string', default: path.join(PROJECT, 'dist') } },
  });
  const missing = await buildMachines(values.output);
  for (const [system, why] of missing) process.stderr.write(`build: nothing for ${system}: ${why}\n`);
  process.exitCode = readdirSync(values.output).length === 0 ? 1 : 0;
}
