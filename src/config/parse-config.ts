// The text of a config.toml → checked values and warnings. Loaded only where there is such a file.
import { parse, TomlError } from 'smol-toml';
import * as v from 'valibot';
import { ForeignError } from '../host/errors.ts';
import { withoutSecrets } from '../host/output.ts';
import { splitPublicKey } from './named-key.ts';
import {
  FETCH,
  KEYS,
  type Key,
  LARGEST_LIMIT,
  LONGEST_AGE,
  LONGEST_TIMEOUT,
  type Settings,
} from './settings.ts';

export interface ParsedConfig {
  readonly values: Partial<Settings>;
  /** One line each. */
  readonly warnings: readonly string[];
}

function isWebAddress(text: string): boolean {
  const address = URL.parse(text);
  return address !== null && ['http:', 'https:'].includes(address.protocol) && address.hostname !== '';
}

const ARRAY = 'it must be an array of texts, e.g. ["..."]';
const SECONDS = `it must be a number of seconds above 0 and up to ${LONGEST_TIMEOUT}`;
const boolean = v.boolean('it must be true or false');

const source = v.pipe(
  v.string(ARRAY),
  v.check(
    (text) => text.startsWith('/') || isWebAddress(text),
    ({ input }) =>
      `${JSON.stringify(withoutSecrets(input))} is neither an absolute directory nor an http(s) URL`,
  ),
);

const publicKey = v.pipe(
  v.string(ARRAY),
  v.rawCheck(({ dataset, addIssue }) => {
    const split = splitPublicKey(String(dataset.value));
    if (split.kind === 'refused')
      addIssue({ message: `no public key of the form name:base64: ${split.why}` });
  }),
);

const INDEX = 'it must be "auto", "off", or an array of absolute files and directories';

const between = (least: number, most: number, what: string) => {
  const message = `it must be a number of ${what} from ${least} to ${most}`;
  return v.pipe(v.number(message), v.minValue(least, message), v.maxValue(most, message));
};

const directory = v.pipe(
  v.string(ARRAY),
  v.check(
    (text) => text.startsWith('/') && !/[:;$]/.test(text),
    ({ input }) => `${JSON.stringify(input)} is no absolute directory that a library path can name`,
  ),
);

const CHECKS = {
  'driver-directories': v.array(directory, ARRAY),
  sources: v.array(source, ARRAY),
  'trusted-fingerprint-keys': v.array(publicKey, ARRAY),
  strict: boolean,
  'source-timeout': v.pipe(
    v.number(SECONDS),
    v.check((seconds) => seconds > 0 && seconds <= LONGEST_TIMEOUT, SECONDS),
  ),
  substitute: boolean,
  index: v.union(
    [v.picklist(['auto', 'off']), v.array(v.pipe(v.string(INDEX), v.startsWith('/', INDEX)))],
    INDEX,
  ),
  fetch: v.picklist(FETCH, 'it must be "ask", "always" or "never"'),
  'fetch-limit': between(0, LARGEST_LIMIT, 'MiB'),
  'index-age': between(0, LONGEST_AGE, 'days'),
} satisfies Record<Key, unknown>;

function broken(file: string, line: number | undefined, why: string, cause?: unknown): ForeignError {
  return new ForeignError(`${file}${line === undefined ? '' : `:${line}`}: ${why}`, {
    code: 'configuration',
    hint: `correct ${line === undefined ? 'it' : 'that line'}, or remove the file; every key is told by: nix-foreign config`,
    exitCode: 125,
    cause,
  });
}

/** The line, from 1, on which a key of the top level is set; the parser keeps no positions. */
function lineOf(text: string, key: string): number | undefined {
  const set = /^\s*(?:\[+\s*)?(?:"([^"]*)"|'([^']*)'|([A-Za-z0-9_-]+))\s*[=.\]]/;
  const at = text.split('\n').findIndex((line) => {
    const [, ...names] = set.exec(line) ?? [];
    return names.includes(key);
  });
  return at < 0 ? undefined : at + 1;
}

function parseToml(text: string, file: string): Record<string, unknown> {
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw broken(file, undefined, 'it is no TOML', error);
    const [why = ''] = error.message.replace('Invalid TOML document: ', '').split('\n');
    throw broken(file, error.line, `this is no TOML: ${why}`, error);
  }
}

function warningFor(file: string, text: string, key: string): string {
  const line = lineOf(text, key);
  const place = line === undefined ? file : `${file}:${line}`;
  return `${place}: there is no key ${JSON.stringify(key)}; the keys are ${KEYS.join(', ')}`;
}

/** Reads and checks one file. @throws ForeignError `configuration` with file and line. */
export function parseConfig(text: string, file: string): ParsedConfig {
  const table = parseToml(text, file);
  const values: [string, unknown][] = [];
  const warnings: string[] = [];
  for (const [key, value] of Object.entries(table)) {
    const known = KEYS.find((each) => each === key);
    if (known === undefined) warnings.push(warningFor(file, text, key));
    else {
      const { success, output, issues } = v.safeParse(CHECKS[known], value);
      if (!success) throw broken(file, lineOf(text, key), `${key}: ${issues[0].message}`);
      values.push([key, output]);
    }
  }
  return { values: Object.fromEntries(values), warnings };
}
