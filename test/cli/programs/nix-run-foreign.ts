// The launcher's substitute from its sources: the words after the program → the program's run.
import { launcherMain } from '../../../src/bin/main.ts';

await launcherMain();
