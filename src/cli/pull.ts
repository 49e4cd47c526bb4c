// `nix-foreign pull PROGRAM`: asks the sources now, whatever they said earlier, and takes the first fingerprint that serves.
import { ForeignError } from '../host/errors.ts';
import { printJson, printOneLine } from '../host/output.ts';
import type { LaunchPlan } from '../plan/plan-format.ts';
import type { Context } from '../resolve/context.ts';
import { fromSources, type Search } from '../resolve/find-fingerprint.ts';
import { withSearch } from '../resolve/program-fingerprint.ts';
import { useFingerprint } from '../resolve/use-fingerprint.ts';
import { namedProgram } from './program-argument.ts';

function failure(given: string, refusals: readonly string[]): ForeignError {
  if (refusals.length === 0) {
    return new ForeignError(`${given}: no source has a fingerprint of it`, {
      code: 'not-in-sources',
      hint: 'see which are asked with: nix-foreign config',
      exitCode: 125,
    });
  }
  return new ForeignError(`${given}: no fingerprint serves: ${refusals.join('; ')}`, {
    code: 'fingerprint-refused',
    hint: `search the store instead: nix-foreign resolve --refresh ${given}`,
    exitCode: 126,
  });
}

async function pull(search: Search, given: string): Promise<LaunchPlan> {
  if (search.settings.sources.length === 0) {
    throw new ForeignError('no source is configured', {
      code: 'no-sources',
      hint: 'name one in config.toml: sources = ["https://..."]; nix-foreign config says where that file is',
      exitCode: 125,
    });
  }
  const refusals: string[] = [];
  for await (const found of fromSources(search, 'all')) {
    const used = found.kind === 'believed' ? await useFingerprint(found, search) : found;
    if (used.kind === 'planned') return used.plan;
    refusals.push(`${found.where}: ${used.why}`);
  }
  throw failure(given, refusals);
}

export async function pullCommand(
  given: string,
  options: { json: boolean },
  context: Context,
): Promise<void> {
  const plan = await withSearch(namedProgram(given, context), context, (search) => pull(search, given));
  if (options.json) printJson(plan);
  else printOneLine(`${plan.program}: ready, by ${plan.origin}`);
}
