// All findings → the first sentence, whether foreign programs start here now and how; and what copies cost.
import { lstatSync, readdirSync } from 'node:fs';
import { machinesRunBy } from '../../elf/machine.ts';
import type { Directories } from '../../host/directories.ts';
import { filesBelow } from '../../host/files.ts';
import { BINFMT_MISC, isOn, registered } from '../../integrations/binfmt/binfmt-registry.ts';
import { copiesDirectory, unpackedDirectory } from '../../plan/copy-directories.ts';
import { inspectInterpreter } from '../../plan/strategy.ts';
import type { Check } from './checks.ts';

/** Without these nothing can be resolved; all else only costs something. */
const NEEDED = ['store', 'directories'];

function hasRule(): boolean {
  try {
    return isOn(BINFMT_MISC) && (registered(BINFMT_MISC) ?? []).some(({ enabled }) => enabled);
  } catch {
    return false;
  }
}

function waysOf(checks: readonly Check[], arch: string): string[] {
  const [own] = machinesRunBy(arch);
  const sits = own && inspectInterpreter(own.interpreter).kind === 'launcher';
  const hook = checks.some(({ subject, state }) => subject === 'hook' && state === 'ok');
  return [
    'with nix-run-foreign in front',
    ...(sits ? [`as they are, by the launcher at ${own.interpreter}`] : []),
    ...(hasRule() ? ['as they are, by a rule of binfmt_misc'] : []),
    ...(hook ? ['by their names, by the shell hook'] : []),
  ];
}

/** The sentence that comes first. */
export function checkStarts(checks: readonly Check[], arch: string): Check {
  const missing = checks.find(({ subject, state }) => state === 'lack' && NEEDED.includes(subject));
  if (missing === undefined)
    return {
      subject: 'starts',
      state: 'ok',
      detail: `foreign programs start here: ${waysOf(checks, arch).join('; ')}`,
    };
  return {
    subject: 'starts',
    state: 'lack',
    detail: `foreign programs cannot be started here now: ${missing.detail}`,
    ...(missing.remedy === undefined ? {} : { remedy: missing.remedy }),
  };
}

function bytesBelow(directory: string): number {
  let bytes = 0;
  for (const { file, kind } of filesBelow(directory))
    if (kind === 'file') bytes += lstatSync(file, { throwIfNoEntry: false })?.size ?? 0;
  return bytes;
}

function costOf(directory: string, one: string, many: string): string | undefined {
  try {
    const { length } = readdirSync(directory);
    if (length === 0) return undefined;
    return `${length} ${length === 1 ? one : many}, ${Math.ceil(bytesBelow(directory) / 1e6)} MB`;
  } catch {
    return undefined; // none was ever made
  }
}

/** Nothing where there are none. */
export function copiesCheck(dirs: Directories): Check[] {
  const costs = [
    costOf(copiesDirectory(dirs), 'patched copy', 'patched copies'),
    costOf(unpackedDirectory(dirs), 'unpacked AppImage', 'unpacked AppImages'),
  ].filter((each) => each !== undefined);
  if (costs.length === 0) return [];
  const remedy = 'drop what no program needs any more: nix-foreign prune --unused 30';
  return [{ subject: 'copies', state: 'ok', detail: costs.join('; '), remedy }];
}
