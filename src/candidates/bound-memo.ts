// A library and the files that its references bind to → remembered in the catalogue, since neither ever changes.
import type { Catalogue } from '../store/catalogue.ts';

export interface BoundMemo {
  /** Files that together define all that a library wants without version; undefined where that is not known. */
  recall(path: string): readonly string[] | undefined;
  /** Does nothing for files outside the store, whose content may change. */
  remember(path: string, files: readonly string[]): void;
}

/** Bump when it changes what counts as wanted or as defined. */
const KIND = 'bound-1';

function parsed(text: string): readonly string[] | undefined {
  const value: unknown = JSON.parse(text);
  return Array.isArray(value) && value.every((each) => typeof each === 'string') ? value : undefined;
}

/** Reading all libraries of a set takes some milliseconds on each miss, asking the catalogue a tenth of that. */
export function boundMemo(catalogue: Catalogue): BoundMemo {
  const known = new Map<string, readonly string[] | undefined>();
  const isKept = (path: string): boolean => path.startsWith(`${catalogue.storeDir}/`);
  return {
    recall: (path) => {
      if (!isKept(path)) return undefined;
      if (!known.has(path)) {
        const text = catalogue.memo(`${KIND} ${path}`);
        known.set(path, text === undefined ? undefined : parsed(text));
      }
      return known.get(path);
    },
    remember: (path, files) => {
      if (known.get(path) !== undefined || ![path, ...files].every(isKept)) return;
      known.set(path, files);
      try {
        catalogue.setMemo(`${KIND} ${path}`, JSON.stringify(files));
      } catch {
        // A full disk or a catalogue of somebody else: it is found out again the next time.
      }
    },
  };
}
