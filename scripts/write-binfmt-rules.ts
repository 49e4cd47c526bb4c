// The rules of src/integrations/binfmt → nix/binfmt-rules.json, which the NixOS module registers.
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { machinesRunBy } from '../src/elf/machine.ts';
import { registration, rulesFor } from '../src/integrations/binfmt/binfmt-rules.ts';

/** Nix's system → Node's `process.arch`. */
const SYSTEMS = { 'aarch64-linux': 'arm64', 'x86_64-linux': 'x64' } as const;

/** Name, magic and mask of each rule, the latter two as binfmt.d(5) has them. */
export function binfmtRules(): string {
  const rules = Object.entries(SYSTEMS).map(([system, arch]) => [
    system,
    rulesFor(machinesRunBy(arch)).map((rule) => {
      const [name, , , magic, mask] = registration(rule, '/launcher', 'PF').split(':').slice(1);
      return { name, magic, mask };
    }),
  ]);
  return `${JSON.stringify(Object.fromEntries(rules), null, 2)}\n`;
}

if (import.meta.main) {
  writeFileSync(path.resolve(import.meta.dirname, '../nix/binfmt-rules.json'), binfmtRules());
}
