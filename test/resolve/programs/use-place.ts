// A process in odd surroundings → where its work ends up, or why nowhere, as JSON on stdout.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { writeFileAtomically } from '../../../src/host/atomic-file.ts';
import { ForeignError } from '../../../src/host/errors.ts';
import { inWritableDirectories } from '../../../src/resolve/writable-directories.ts';
import { openStore } from '../../../src/store/open-catalogue.ts';

const size = Number(process.argv[2] ?? 10);
/** A store to open there, as a path. */
const storeDir = process.env['STORE'];
const uid = process.geteuid?.() ?? 0;
try {
  const answer = await inWritableDirectories(uid, async (dirs) => {
    if (storeDir !== undefined)
      (await openStore(dirs.catalogues, { storeDir, stateDir: '/nowhere' })).close();
    const file = path.join(dirs.plans, '0123456789abcdef');
    writeFileAtomically(file, 'x'.repeat(size));
    return { plans: dirs.plans, bytes: readFileSync(file).length };
  });
  process.stdout.write(JSON.stringify(answer));
} catch (error) {
  const { code, exitCode, message, hint } = error as ForeignError;
  process.stdout.write(
    JSON.stringify({ code, exitCode, message, hint, ours: error instanceof ForeignError }),
  );
}
