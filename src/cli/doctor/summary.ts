// All findings → the first sentence, whether foreign programs start here now and how; and what copies cost.
import { lstatSync, readdirSync } from 'node:fs';
import { machinesRunBy } from '../../elf/machine.ts';
import type { Directories } from '../../host/directories.ts';
import { filesBelow } from '../../host/files.ts';
import { BINFMT_MISC, isOn } from '../../host/registered-rule.ts';
import { registered, ruleFor } from '../../integrations/binfmt/binfmt-registry.ts';
import { copiesDirectory, unpackedDirectory } from '../../plan/copy-directories.ts';
import { inspectInterpreter } from '../../plan/strategy.ts';
import type { Check } from './checks.ts';
import { entersLauncher } from './nix-ld-loader.ts';

/** Without these nothing can be resolved; all else only costs something. */
const NEEDED = ['configuration', 'store', 'launcher', 'directories'];

function hasRule(): boolean {
  try {
    return isOn(BINFMT_MISC) && (registered(BINFMT_MISC) ?? []).some(({ enabled }) => enabled);
  } catch {
    return false;
  }
}

/** What this machine and this session have. */
export interface ThisSession {
  readonly arch: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Who sits at the path that foreign programs name as their interpreter. */
function wayOfInterpreter({ arch, env }: ThisSession): string | undefined {
  const [own] = machinesRunBy(arch);
  if (own === undefined) return undefined;
  const { interpreter } = own;
  const { kind } = inspectInterpreter(interpreter);
  if (kind === 'launcher') return `as they are, by the launcher at ${interpreter}`;
  if (kind === 'loader') return `as they are, with the libraries of this system`;
  if (kind !== 'nix-ld' || !entersLauncher(env, own)) return undefined;
  return `as they are, by nix-ld at ${interpreter}`;
}

const BY_RULE = 'as they are, by a rule of binfmt_misc';

/** How programs of this machine come to the launcher by their own names, whoever starts them; undefined: not at all. */
export function wayToLauncher(session: ThisSession): string | undefined {
  const [own] = machinesRunBy(session.arch);
  if (own === undefined) return undefined;
  if (ruleFor(own) !== undefined) return BY_RULE;
  return inspectInterpreter(own.interpreter).kind === 'loader' ? undefined : wayOfInterpreter(session);
}

function waysOf(checks: readonly Check[], session: ThisSession): string[] {
  const has = (wanted: string) => checks.some(({ subject, state }) => subject === wanted && state === 'ok');
  return [
    'with nix-run-foreign in front',
    wayOfInterpreter(session) ?? '',
    hasRule() ? BY_RULE : '',
    has('hook') ? 'by their names, by the shell hook' : '',
    has('shims') ? 'by their names, those that have a shim' : '',
  ].filter((each) => each !== '');
}

/** The sentence that comes first. */
export function checkStarts(checks: readonly Check[], session: ThisSession): Check {
  const missing = checks.find(({ subject, state }) => state === 'lack' && NEEDED.includes(subject));
  if (missing === undefined)
    return {
      subject: 'starts',
      state: 'ok',
      detail: `foreign programs start here: ${waysOf(checks, session).join('; ')}`,
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
