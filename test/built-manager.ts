// What `npm run build` made of the manager: it starts four times as fast as from its sources.
import { existsSync } from 'node:fs';
import path from 'node:path';

/** nix-foreign, as a file that Node runs. */
export const MANAGER = path.resolve(import.meta.dirname, '../dist/nix-foreign.cjs');
if (!existsSync(MANAGER)) throw new Error('this runs the built tool: npm run build');
