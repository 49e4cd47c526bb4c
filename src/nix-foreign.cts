// The executable: a few lines, so that what they load can come from the compile cache.
// CommonJS in one file starts 20 ms sooner than ES modules in several (src/launch/NOTES.md, "The cost of a miss").

const path: typeof import('node:path') = require('node:path');
const { enableCompileCache }: typeof import('node:module') = require('node:module');

// Filled when the project is built; where it cannot be written it is only read.
enableCompileCache({ directory: path.join(__dirname, 'compile-cache'), portable: true });

// Node's warnings about its own experimental modules are not the user's concern.
process.removeAllListeners('warning');

const { main }: typeof import('./main.ts') = require('./main.cjs');
main(__filename);
