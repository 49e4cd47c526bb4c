// <catalogue directory> <store directory> <state directory> → the catalogue brought up to date, what is in it on stdout.
import { configureReport } from '../../../src/host/output.ts';
import { openStore } from '../../../src/store/open-catalogue.ts';

const [directory = '', storeDir = '', stateDir = ''] = process.argv.slice(2);
configureReport('fill', process.env['NIX_RUN_FOREIGN_DEBUG'] === '1');
const catalogue = await openStore(directory, { storeDir, stateDir });
const offered = catalogue.librariesOffering('libv.so.1', 64, 62).length;
process.stdout.write(`${JSON.stringify({ ...catalogue.counts(), offered })}\n`);
catalogue.close();
