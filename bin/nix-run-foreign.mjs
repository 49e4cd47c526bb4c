#!/usr/bin/env node
// The launcher's substitute in Node, for machines where it could not be built.
import { createRequire } from 'node:module';

process.removeAllListeners('warning');
await createRequire(import.meta.url)('../dist/main.cjs').launcherMain();
