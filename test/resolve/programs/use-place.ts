// A process in odd surroundings → where its work ends up, or why nowhere, as JSON on stdout.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { writeFileAtomically } from '../../../src/host/atomic-file.ts';
import { ForeignError } from '../../../src/host/errors.ts';
import { inWritableDirectories } from '../../../src/resolve/writable-directories.ts';

const size = Number(process.argv[2] ?? 10);
/** Of SQLite, which its database in the home meets. */
const errcode = process.env['SQLITE_AT_HOME'];
const uid = process.geteuid?.() ?? 0;
try {
  const answer = await inWritableDirectories(uid, async (dirs) => {
    if (errcode !== undefined && dirs.plans.startsWith('/mnt/'))
      throw Object.assign(new Error('locking protocol'), {
        code: 'ERR_SQLITE_ERROR',
        errcode: Number(errcode),
      });
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
