// `nix-foreign pull PROGRAM`: asks the sources now, whatever they said earlier, and takes the first fingerprint that
// serves.
import { ForeignError } from '../host/errors.ts';
import { printJson, printOneLine } from '../host/output.ts';
import { fileWord } from '../host/shell-words.ts';
import type { LaunchPlan } from '../plan/plan-format.ts';
import type { Context } from '../resolve/context.ts';
import { type FingerprintSearch, fromSources } from '../resolve/find-fingerprint.ts';
import { refusePatched } from '../resolve/for-original.ts';
import { withSearch } from '../resolve/program-fingerprint.ts';
import { useFingerprint } from '../resolve/use-fingerprint.ts';
import { namedProgram } from './program-argument.ts';

function failure(typedName: string, refusals: readonly string[]): ForeignError {
  if (refusals.length === 0) {
    return new ForeignError(`${typedName}: no source has a fingerprint of it`, {
      code: 'not-in-sources',
      hint: 'see which are asked with: nix-foreign config',
      exitCode: 125,
    });
  }
  return new ForeignError(`${typedName}: no fingerprint serves: ${refusals.join('; ')}`, {
    code: 'fingerprint-refused',
    hint: `search the store instead: nix-foreign resolve --refresh ${fileWord(typedName)}`,
    exitCode: 126,
  });
}

async function pull(search: FingerprintSearch, typedName: string): Promise<LaunchPlan> {
  if (search.settings.sources.length === 0) {
    throw new ForeignError('no source is configured', {
      code: 'no-sources',
      hint: 'name one in config.toml: sources = ["https://..."]; nix-foreign config says where that file is',
      exitCode: 125,
    });
  }
  const refusals: string[] = [];
  const allow = `NIX_RUN_FOREIGN_FETCH=always nix-foreign pull ${fileWord(typedName)}`;
  for await (const found of fromSources(search, 'all')) {
    const used = found.kind === 'trusted' ? await useFingerprint(found, { ...search, allow }) : found;
    if (used.kind === 'planned') return used.plan;
    const why = used.kind === 'changed' ? 'the program changed meanwhile' : used.why;
    refusals.push(`${found.where}: ${why}`);
  }
  throw failure(typedName, refusals);
}

export async function pullCommand(
  typedName: string,
  options: { json: boolean },
  context: Context,
): Promise<void> {
  const named = namedProgram(typedName, context);
  await refusePatched(named, context);
  const plan = await withSearch(named, context, (search) => pull(search, named));
  if (options.json) printJson(plan);
  else printOneLine(`${plan.program}: ready, by ${plan.origin}`);
}
