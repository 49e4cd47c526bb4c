// The farms directory → only the farms that a plan still names.
import { readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import type { Place } from '../platform/places.ts';
import { listPlans } from './plan-files.ts';

/** Removes farms that no plan of the place uses. A program that is running has its libraries mapped already. */
export function collectFarms(place: Place): void {
  const used = new Set(listPlans(place).flatMap(({ directories }) => directories));
  let names: string[];
  try {
    names = readdirSync(place.farms);
  } catch {
    return;
  }
  for (const name of names.filter((each) => /^[0-9a-f]{32}$/.test(each))) {
    const farm = path.join(place.farms, name);
    if (!used.has(farm)) rmSync(farm, { recursive: true, force: true });
  }
}
