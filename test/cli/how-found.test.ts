// A load trace → the rule, directory and requests of each object, by the path it is opened by.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { howFound } from '../../src/cli/explain/load-map.ts';
import type { Finding, TracedObject } from '../../src/ldso/simulation/trace.ts';

const farm = '/cache/farms/f';
const loader = '/glibc/lib/ld.so';

function ruleOf(found: Finding, path: string, more: Partial<TracedObject> = {}) {
  const name = path.slice(path.lastIndexOf('/') + 1);
  const object: TracedObject = {
    ...{ name, path, elf: undefined, role: 'library', depth: 1, found },
    ...{ hwcaps: undefined, tried: [], requests: [] },
    ...more,
  };
  return howFound(
    { objects: [object], errors: [], warnings: [], status: 0, listStatus: 0 },
    { farm, loader },
  );
}

const none = { of: null, directory: null, hwcaps: null, requests: [], passedOver: [] };

test('the farm is the first directory of the library path, also below it', () => {
  const hwcaps = 'glibc-hwcaps/x86-64-v3';
  const by = { by: 'library path' } as const;
  const inFarm = { ...none, by: 'farm', directory: farm };
  assert.deepEqual(ruleOf(by, `${farm}/libz.so.1`).get(`${farm}/libz.so.1`), inFarm);
  const best = `${farm}/${hwcaps}/libz.so.1`;
  assert.deepEqual(ruleOf(by, best, { hwcaps }).get(best), { ...inFarm, hwcaps });
  assert.deepEqual(ruleOf(by, '/own/libz.so.1').get('/own/libz.so.1'), {
    ...none,
    by: 'library path',
    directory: '/own',
  });
});

test('whose run path it is, and no directory where none was searched', () => {
  const found = { by: 'runpath', of: '/app/program' } as const;
  const expected = { ...none, by: 'runpath', of: '/app/program', directory: '/app/../lib' };
  assert.deepEqual(ruleOf(found, '/app/../lib/liba.so').get('/app/../lib/liba.so'), expected);
  assert.deepEqual(ruleOf({ by: 'slash name' }, '/x/liba.so').get('/x/liba.so'), {
    ...none,
    by: 'slash name',
  });
});

test('the loader goes by its own path, whatever it calls itself, and a library that is nowhere by none', () => {
  const found = { by: 'interpreter' } as const;
  assert.deepEqual([...ruleOf(found, '/lib/ld-musl.so.1', { role: 'loader' }).keys()], [loader]);
  assert.equal(ruleOf({ by: 'nowhere' }, 'libnone.so', { path: undefined }).size, 0);
});

test('of what was met before, only what was there', () => {
  const tried = [
    { path: '/a/liba.so', why: 'ENOENT' },
    { path: '/b/liba.so', why: 'wrong class' },
  ] as const;
  const rules = ruleOf({ by: 'default directory' }, '/c/liba.so', { tried });
  assert.deepEqual(rules.get('/c/liba.so')?.passedOver, [tried[1]]);
});
