#!/usr/bin/env node
// The launcher's substitute in Node, for machines where it could not be built.
import { createRequire } from 'node:module';

const OLDEST = 24;

if (Number(process.versions.node.split('.')[0]) < OLDEST) {
  const cause = `Node ${OLDEST} or newer is needed, and this is ${process.version}`;
  process.stderr.write(
    `nix-run-foreign: ${cause}\n  start it with a newer one: /path/to/node ${process.argv[1]} PROGRAM\n`,
  );
  process.exit(125);
}
process.removeAllListeners('warning');
await createRequire(import.meta.url)('../dist/main.cjs').launcherMain();
