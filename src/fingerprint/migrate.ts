// A document's value in the version it was written in → the same in the version this tool works with.
import { FINGERPRINT_VERSION } from './fingerprint.ts';

export type Migrated =
  /** In the present version. Nothing in it was checked yet but its version. */
  | { readonly kind: 'present'; readonly value: object; readonly writtenIn: number }
  | { readonly kind: 'refused'; readonly why: string };

/** One step for each version that was left behind. Shallow: what is below the top is checked afterwards. */
const STEPS: ReadonlyMap<number, (value: object) => object> = new Map([
  // Version 1 is version 2 without `signatures`.
  [1, (value: object) => ({ ...value, version: 2 })],
]);

function refused(why: string): Migrated {
  return { kind: 'refused', why };
}

/** Total: every value of JSON gives an answer. */
export function migrate(value: unknown): Migrated {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return refused('it is no JSON object');
  const version = Object.hasOwn(value, 'version') && 'version' in value ? value.version : undefined;
  if (version === undefined) return refused('version: it says none');
  if (typeof version !== 'number' || !Number.isSafeInteger(version) || version < 1) {
    return refused(`version: no number of a format: ${JSON.stringify(version)}`);
  }
  if (version > FINGERPRINT_VERSION) {
    return refused(
      `it has format ${version}, and this tool knows ${FINGERPRINT_VERSION}: take a newer nix-run-foreign`,
    );
  }
  if (version < 2 && Object.hasOwn(value, 'signatures')) return refused('signatures: version 1 has none');
  let present: object = value;
  for (let from = version; from < FINGERPRINT_VERSION; from += 1)
    present = STEPS.get(from)?.(present) ?? present;
  return { kind: 'present', value: present, writtenIn: version };
}
