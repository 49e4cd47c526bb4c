// The manager from its sources: the words after the program → the command, or the miss, as in nix-foreign.cts.
import { main } from '../../../src/bin/main.ts';

const isMiss = process.argv[2] === 'resolve' && process.argv[3] === '--from-launcher';
if (isMiss) await (await import('../../../src/bin/resolver.ts')).main();
else await main(import.meta.filename);
