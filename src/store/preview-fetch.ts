// Store paths → what Nix would fetch for them and how much that is, before anything is fetched.
import path from 'node:path';
import { debug, withoutSecrets } from '../host/output.ts';
import { runProgram } from '../host/run-program.ts';
import { isHarmless } from './fetch.ts';
import { complaintOf, linesOf, type Nix, TIMEOUT } from './nix.ts';

export interface FetchPreview {
  /** Everything that would come, closures included, sorted. */
  readonly paths: readonly string[];
  /** Bytes, as sent; as unpacked where no cache says how many it sends. Where one does, other paths may count as 0. */
  readonly download: number;
  /** Bytes in the store. */
  readonly unpacked: number;
  /** What no substituter has. */
  readonly unknown: readonly string[];
  /** Derivations that would be built: of store paths there are none. */
  readonly builds: readonly string[];
}

export type Previewed =
  | {
      readonly kind: 'previewed';
      readonly preview: FetchPreview;
      /** A cache that did not answer, one clause: what is unknown may be there all the same. */
      readonly unreachable?: string | undefined;
    }
  /** One clause. */
  | { readonly kind: 'failed'; readonly why: string };

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

/** `15.62 MiB`; Nix counts in powers of 1024 whatever its letters say. */
function bytesOf(number: string, unit: string): number {
  const power = UNITS.findIndex((each) => each[0] === unit[0]?.toUpperCase());
  return Math.round(Number(number) * 1024 ** Math.max(0, power));
}

const SIZES = /\(([\d.]+) ([KMGT]?i?B) download, ([\d.]+) ([KMGT]?i?B) unpacked\)/i;

type PreviewSection = 'fetch' | 'unknown' | 'builds' | undefined;

function sectionOf(line: string): PreviewSection {
  if (/^th(?:is|ese)\b.*\bpaths? will be fetched\b/.test(line)) return 'fetch';
  if (/^th(?:is|ese)\b.*\bderivations? will be built\b/.test(line)) return 'builds';
  return line.startsWith("don't know how to build these paths") ? 'unknown' : undefined;
}

/** Reads the words of Nix 2.3 to 2.34 (src/libmain/shared.cc, printMissing). Total. */
export function parseDryRun(stderr: string): FetchPreview {
  const found = { fetch: new Set<string>(), unknown: new Set<string>(), builds: new Set<string>() };
  let [section, download, unpacked]: [PreviewSection, number, number] = [undefined, 0, 0];
  for (const line of linesOf(stderr)) {
    const entry = /^ {2}(\/\S+)$/.exec(line)?.[1];
    if (entry !== undefined) {
      if (section !== undefined) found[section].add(entry);
      continue;
    }
    section = sectionOf(line);
    const sizes = section === 'fetch' ? SIZES.exec(line) : null;
    if (sizes === null) continue;
    const size = bytesOf(sizes[3] ?? '', sizes[4] ?? '');
    unpacked += size;
    // A narinfo need not have FileSize, and nix-serve's have none: Nix counts 0, and a limit would never apply.
    download += bytesOf(sizes[1] ?? '', sizes[2] ?? '') || size;
  }
  const sorted = (each: Set<string>) => [...each].sort();
  return {
    paths: sorted(found.fetch),
    download,
    unpacked,
    unknown: sorted(found.unknown),
    builds: sorted(found.builds),
  };
}

/** What Nix 2.8 to 2.34 warn of; behind the number of curl's error 2.26 and later say the same again. */
const UNREACHABLE = /^warning: (?:error: )?unable to download '([^']*)': ([^(\n]*)/m;

/** `cache.example.org cannot be reached: Could not resolve hostname`. */
function unreachableIn(stderr: string): string | undefined {
  const [, address = '', why = ''] = UNREACHABLE.exec(stderr) ?? [];
  if (address === '') return undefined;
  const host = URL.parse(address)?.host || address;
  return withoutSecrets(`${host} cannot be reached: ${why.replace(/[\s:;.]+$/, '')}`);
}

/**
 * Asks Nix what it would fetch for store paths; it asks the caches for that. Its status is 0 whatever they answer
 * (Nix 2.8 to 2.34): what it prints tells.
 */
export async function previewFetch(nix: Nix, storePaths: readonly string[]): Promise<Previewed> {
  const distinct = [...new Set(storePaths)].sort();
  const harmful = distinct.find((each) => !isHarmless(each));
  if (harmful !== undefined) return { kind: 'failed', why: `${harmful} is no path of a built store object` };
  if (distinct.length === 0) return { kind: 'previewed', preview: parseDryRun('') };
  const env = { ...nix.env, LC_ALL: 'C', NO_COLOR: '1' };
  const args = ['--realise', '--dry-run', ...distinct];
  const ended = await runProgram(path.join(nix.bin, 'nix-store'), args, { env, timeout: TIMEOUT });
  debug(`nix-store ${args.join(' ')}: ${ended.status ?? ended.failure ?? 'killed'}`);
  if (ended.status !== 0) return { kind: 'failed', why: withoutSecrets(complaintOf(ended)) };
  const { stderr } = ended;
  return { kind: 'previewed', preview: parseDryRun(stderr), unreachable: unreachableIn(stderr) };
}
