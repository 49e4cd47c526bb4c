// The executable: starts main. Node's warnings about experimental modules are not the user's concern.
import process from 'node:process';

process.removeAllListeners('warning');

const { main } = await import('./main.ts');
await main(import.meta.url);
