// esbuild's account of a bundle → the npm packages in it, with version and licence, as CycloneDX 1.6.
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Metafile } from 'esbuild';
import { PROJECT } from './compile-c.ts';

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly license?: string;
}

const readManifest = (directory: string): Manifest =>
  JSON.parse(readFileSync(path.join(PROJECT, directory, 'package.json'), 'utf8'));

/** Only what ended up in an output; esbuild reads more than it writes. */
function bundledFiles({ outputs }: Metafile): string[] {
  return Object.values(outputs).flatMap(({ inputs }) =>
    Object.entries(inputs)
      .filter(([, { bytesInOutput }]) => bytesInOutput > 0)
      .map(([file]) => file),
  );
}

/** The directory of the npm package that a file belongs to. */
function packageDirectory(file: string): string[] {
  const found = /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0];
  return found === undefined ? [] : [found];
}

function componentOf(directory: string) {
  const { name, version, license } = readManifest(directory);
  if (license === undefined) throw new Error(`${directory}: package.json names no licence`);
  return {
    type: 'library',
    name,
    version,
    purl: `pkg:npm/${name.replace('@', '%40')}@${version}`,
    licenses: [{ expression: license }],
  };
}

/** @throws Error for a package without a licence, which nobody may give to others. */
export function writeBillOfMaterials(metafiles: readonly Metafile[], output: string): void {
  const { name, version, license } = readManifest('.');
  const directories = new Set(metafiles.flatMap(bundledFiles).flatMap(packageDirectory));
  const bill = {
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: { component: { type: 'application', name, version, licenses: [{ expression: license }] } },
    components: [...directories].sort().map(componentOf),
  };
  writeFileSync(output, `${JSON.stringify(bill, null, 2)}\n`);
}
