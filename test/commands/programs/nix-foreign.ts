// The manager from its sources: the words after the program → the command.
import { main } from '../../../src/main.ts';

await main(import.meta.filename);
