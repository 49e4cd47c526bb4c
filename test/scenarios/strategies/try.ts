import { appendFileSync, readFileSync, chmodSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { ensureRig } from '../../rig/rig.ts';
import { homeInRoot } from '../../rig/root.ts';
import { compile } from '../compile.ts';
import { onHost } from '../foreign-files.ts';
import { openToolRoot } from '../tool.ts';
const rig = await ensureRig('full');
for (const [uid, interpreter] of [[0,'none'],[0,'stub-ld'],[1234,'none'],[1234,'stub-ld']] as const) {
  const root = await openToolRoot(rig, { interpreter, uid, daemon: uid ? 'running' : 'none' });
test(`${uid} ${interpreter}`, async () => {
  const program = path.join(homeInRoot, 'bin/self');
  compile(onHost(root, program), readFileSync(path.join(import.meta.dirname, 'programs/self.c'),'utf8'), ['/lib/x86_64-linux-gnu/libz.so.1']);
  appendFileSync(onHost(root, program), 'appended:hello');
  for (const words of [[program,'report'],[program,'again'],[program, 'child', program, 'report'], ['--explain', program]]) {
    const r = await root.start(words, {env: {NIX_RUN_FOREIGN_DEBUG: words[1]==='report' ? '1':undefined}});
    if (words[0]!=="--explain") console.log(uid, interpreter, words.slice(1).join(' '), r.status, '\n'+r.stdout.split('\n').slice(0,8).join('\n'), r.stderr.split('\n').filter(l=>!/complaints|catalogue/.test(l)).slice(0,12).join('\n'));
  }
});}
