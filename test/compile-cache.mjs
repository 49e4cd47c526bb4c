// Sources → what Node made of them, kept for the next process: none strips types that another has stripped.
import { enableCompileCache } from 'node:module';
import path from 'node:path';

enableCompileCache(path.join(import.meta.dirname, '../node_modules/.cache/tests'));
