// A file of a set that is not there, or cannot be read → what is said of it.
import { existsSync } from 'node:fs';

/** A file of the set is not there: its store object vanished, or the farm was collected; or it cannot be read. */
export interface Vanished {
  readonly kind: 'vanished';
  readonly file: string;
}

/** As one clause. */
export function whyVanished({ file }: Pick<Vanished, 'file'>): string {
  return existsSync(file) ? `${file} cannot be read` : `${file} is gone`;
}

/** What the user can do about it. */
export function hintOfVanished({ file }: Pick<Vanished, 'file'>): string {
  return existsSync(file)
    ? 'check the disk and the permissions: dmesg and ls -l say more'
    : 'wait for the garbage collection that is running and try again';
}
