// This process's user namespace → whether the user's files can be told from those of others.
import { readFileSync } from 'node:fs';

/**
 * The uid that stat(2) shows for every owner who has no number in this user namespace (/proc/sys/fs/overflowuid,
 * user_namespaces(7)). It stands for many, so it is nobody's property.
 */
export const NOBODY = 65534;

/** user_namespaces(7), /proc/pid/uid_map: that of the first namespace, in which each user has a number. */
const ALL = /^\s*0\s+0\s+4294967295\n$/;

/** True for a user of that number where nobody else has it; the rule of launcher/plan-files.c. Total. */
export function isToldFromOthers(uid: number): boolean {
  if (uid !== NOBODY) return true;
  try {
    return ALL.test(readFileSync('/proc/self/uid_map', 'utf8'));
  } catch {
    return false;
  }
}
