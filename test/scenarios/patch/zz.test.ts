import { test } from 'node:test';
const { openVendorRoot, foreignNamed } = await import('/work/wt/patch/test/scenarios/patch/vendor-root.ts');
test('x', async () => {
  const { rig, root, dir, put } = await openVendorRoot('small');
  console.log(rig.foreign.map((f:any)=>f.name).join(' '));
  put(foreignNamed(rig,'curl'),'curl');
  const show=async (l:string,p:any)=>{ const t=Date.now(); const o=await p; console.log('==',l,o.status??o, Date.now()-t,'ms\n'+String(o.stdout).slice(0,3000)+'\nERR '+String(o.stderr).slice(0,1500)); return o; };
  await show('bare',root.bare('/vendor/curl',['--version']));
  await show('dry',root.manage(['patch','-n','/vendor/curl'],{env:{NIX_RUN_FOREIGN_DEBUG:'1'}}));
  await show('patch',root.manage(['patch','-y','/vendor/curl'],{env:{NIX_RUN_FOREIGN_DEBUG:'1'}}));
  await show('bare',root.bare('/vendor/curl',['--version']));
  await show('again',root.manage(['patch','-y','/vendor/curl']));
  await show('check',root.manage(['patch','--check','/vendor/curl']));
  await show('unpatch',root.manage(['unpatch','/vendor/curl']));
});
