// The executable: runs the resolver's or the manager's bundle from compiled code that the build left beside it.
// Node's own compile cache keeps only what V8 compiles before the first line runs; this keeps what a whole miss used
// (src/plan/NOTES.md, "The cost of a miss").

const fs: typeof import('node:fs') = require('node:fs');
const path: typeof import('node:path') = require('node:path');
const vm: typeof import('node:vm') = require('node:vm');

const OLDEST = 24;

/** Before any of our modules is there. */
function refuse(cause: string, remedy: string): never {
  const name = process.argv[3] === '--from-launcher' ? 'nix-run-foreign' : 'nix-foreign';
  process.stderr.write(`${name}: ${cause}\n  ${remedy}\n`);
  process.exit(125);
}

if (Number(process.versions.node.split('.')[0]) < OLDEST)
  refuse(
    `Node ${OLDEST} or newer is needed, and ${process.execPath} is ${process.version}`,
    'put a newer node on PATH in front of it',
  );

const isMiss =
  ['extend', 'print-cache'].includes(process.argv[2] ?? '') ||
  (process.argv[2] === 'resolve' && process.argv[3] === '--from-launcher');
const source = path.join(__dirname, isMiss ? 'resolver.cjs' : 'main.cjs');
const compiled = source.replace(/cjs$/, 'compiled');

function readCompiled(): Buffer | undefined {
  try {
    return fs.readFileSync(compiled);
  } catch {
    return undefined;
  }
}

type Wrapped = (
  exports: object,
  require: NodeJS.Require,
  module: object,
  file: string,
  directory: string,
) => void;

const cachedData = readCompiled();

function compile(): import('node:vm').Script {
  try {
    return new vm.Script(
      `(function (exports, require, module, __filename, __dirname) {${fs.readFileSync(source, 'utf8')}\n})`,
      // Code of another V8 is rejected, and the source is compiled.
      { filename: source, ...(cachedData === undefined ? {} : { cachedData }) },
    );
  } catch (error) {
    return refuse(
      `${source} cannot be read, or is damaged: ${(error as Error).message}`,
      'install it again, as it was installed before',
    );
  }
}

const script = compile();
const module_ = { exports: {} as typeof import('./main.ts') };
(script.runInThisContext() as Wrapped)(module_.exports, require, module_, source, __dirname);

// Node's warnings about its own experimental modules are not the user's concern.
process.removeAllListeners('warning');

/** Ours, and not of a store whose files never change: its directories lack the right to write. */
function isOwnDirectory(): boolean {
  const { uid, mode } = fs.statSync(__dirname);
  return uid === process.geteuid?.() && (mode & 0o200) !== 0;
}

/** For the next run, of other users too. Another one may write the same at this moment. */
function writeCompiled(): void {
  try {
    if (!isOwnDirectory()) return;
    const { removeLeftoversOf, writeFileAtomically } = module_.exports;
    removeLeftoversOf(compiled);
    writeFileAtomically(compiled, script.createCachedData(), 0o666);
  } catch {} // the next run compiles, and writes, too
}

// npm brings none that this Node's V8 would take, but of the very Node that the package was built with.
if (
  process.env['NIX_RUN_FOREIGN_WRITE_COMPILED'] === '1' ||
  cachedData === undefined ||
  script.cachedDataRejected
)
  process.on('exit', writeCompiled);
module_.exports.main(__filename);
