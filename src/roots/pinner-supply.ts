// A Nix that was started before anybody knew what it is to pin → the pinner for whoever needs one first.
import type { Nix } from '../store/nix-commands.ts';
import type { TextPinner } from '../store/pinned-text.ts';
import { startKeeping } from './keep-and-pin.ts';

/** Pinners for one root link, one after the other. */
export interface PinnerSupply {
  /** The one that is waiting, or a new one; undefined where there is no Nix. It waits until it is told to pin. */
  current(): TextPinner | undefined;
  /** Ends the one that is waiting, if nobody told it to pin. */
  close(): void;
}

/** `now` starts one at once: Nix takes 20 ms to start, in which others can work. */
export function supplyPinners(nix: Nix | undefined, link: string, when: 'now' | 'later'): PinnerSupply {
  let waiting: TextPinner | undefined;
  const current = (): TextPinner | undefined => {
    waiting ??= startKeeping(nix, link);
    const pinner = waiting;
    return (
      pinner && {
        pin: (text) => {
          waiting = undefined;
          return pinner.pin(text);
        },
        abandon: close,
      }
    );
  };
  const close = (): void => {
    waiting?.abandon();
    waiting = undefined;
  };
  if (when === 'now') current();
  return { current, close };
}
