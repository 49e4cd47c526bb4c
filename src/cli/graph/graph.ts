// `nix-foreign graph PROGRAM`: its libraries, or the conflict that keeps it from starting → a picture.
import path from 'node:path';
import { NO_CHOICES } from '../../choices/choices.ts';
import { ForeignError } from '../../host/errors.ts';
import { jsonText } from '../../host/output.ts';
import type { Context } from '../../resolve/context.ts';
import { forOriginal } from '../../resolve/for-original.ts';
import { choicesOfProgram } from '../../resolve/job.ts';
import { openAlternatives } from '../../resolve/solve-program.ts';
import { inWritableDirectories } from '../../resolve/writable-directories.ts';
import { explainConflict } from '../../solver/explain-conflict.ts';
import { withStore } from '../../store/open-catalogue.ts';
import { nameOfStoreObject, storeObjectOf } from '../../store/store-location.ts';
import { dynamicOnly } from '../choose/session.ts';
import { type DynamicFacts, type Facts, withFacts } from '../explain/facts.ts';
import type { MapEntry } from '../explain/load-map.ts';
import { writeOutput } from '../output-file.ts';
import { usageError } from '../usage-error.ts';
import { dotText } from './dot.ts';
import { mermaidText } from './mermaid.ts';
import { type Drawn, type Picture, pictureOfConflict, pictureOfSet, withOpened } from './picture.ts';

export const FORMATS = ['svg', 'dot', 'mermaid', 'json'] as const;
type Format = (typeof FORMATS)[number];

const ENDINGS: Record<string, Format> = {
  '.svg': 'svg',
  '.dot': 'dot',
  '.gv': 'dot',
  '.mmd': 'mermaid',
  '.json': 'json',
};

/** SVG where the name has no ending. @throws ForeignError `usage` for one that says no format. */
function formatOfName(output: string): Format {
  const ending = path.extname(output);
  const format = ending === '' ? 'svg' : ENDINGS[ending];
  if (format !== undefined) return format;
  throw usageError(
    `${output}: ${ending} is the ending of no format`,
    `take one of: ${Object.keys(ENDINGS).join(', ')}; or say --format, which counts for any name`,
  );
}

/** The format asked for, else the one that the file's name says. @throws ForeignError `usage`. */
function formatOf(asked: string | undefined, output: string | undefined): Format {
  if (asked === undefined) return formatOfName(output ?? '-');
  const format = FORMATS.find((each) => each === asked);
  if (format !== undefined) return format;
  throw new ForeignError(`${asked}: no such format`, {
    code: 'usage',
    hint: `take one of: ${FORMATS.join(', ')}`,
    exitCode: 125,
  });
}

/** Of what keeps a program from starting; undefined where that is not a conflict over libraries. */
async function conflictPicture(typedName: string, context: Context): Promise<Picture | undefined> {
  const program = dynamicOnly(typedName, context);
  const choices = (await choicesOfProgram(program, context))?.choices ?? NO_CHOICES;
  return await inWritableDirectories(context.host.uid, (dirs) =>
    withStore(dirs.catalogues, context.location, (catalogue) => {
      const { outcome } = openAlternatives(program, catalogue, choices);
      if (outcome.kind !== 'conflict') return undefined;
      return pictureOfConflict(path.basename(program.path), outcome, explainConflict(outcome));
    }),
  );
}

/** @throws ForeignError with the reason where there is neither a set nor a conflict to be drawn. */
async function drawProgram(typedName: string, context: Context): Promise<Picture> {
  return await forOriginal(typedName, context, (name) => drawOriginal(name, context));
}

async function drawOriginal(typedName: string, context: Context): Promise<Picture> {
  try {
    return await withFacts(typedName, context, (facts) => pictureOf(facts, context.location.storeDir));
  } catch (error) {
    const drawable = error instanceof ForeignError && ['no-provider', 'conflict'].includes(error.code);
    const picture = drawable ? await conflictPicture(typedName, context) : undefined;
    if (picture === undefined) throw error;
    return picture;
  }
}

async function textOf(picture: Picture, format: Format): Promise<string> {
  switch (format) {
    case 'json':
      return jsonText(picture);
    case 'mermaid':
      return mermaidText(picture);
    case 'dot':
      return dotText(picture);
    case 'svg': {
      const { svgOfDot } = await import('./svg.ts');
      return await svgOfDot(dotText(picture));
    }
  }
}

/** Draws to a file or to stdout. @throws ForeignError `unwritable` where the file cannot be written. */
export async function graphCommand(
  typedName: string,
  asked: string | undefined,
  output: string | undefined,
  context: Context,
): Promise<void> {
  const format = formatOf(asked, output);
  const text = await textOf(await drawProgram(typedName, context), format);
  writeOutput(output ?? '-', text);
}

const KINDS: Record<MapEntry['found'], Drawn['kind']> = {
  farm: 'store',
  'own directory': 'store',
  bundled: 'bundled',
  LD_LIBRARY_PATH: 'bundled',
  'libc of the loader': 'libc',
  loader: 'libc',
};

function drawn(entry: MapEntry, { report, fingerprint }: DynamicFacts, storeDir: string): Drawn {
  const { name, found, storePath, file, neededBy } = entry;
  const origin = (each: string) => nameOfStoreObject(storeObjectOf(storeDir, each) ?? each);
  const wants = report?.wantsOf(name) ?? [];
  const objects = new Set(wants.map((want) => storeObjectOf(storeDir, want.path)));
  const kind = KINDS[found];
  return {
    name,
    kind,
    origin: storePath === null ? file : nameOfStoreObject(storePath),
    glibc: kind === 'libc' ? nameOfStoreObject(fingerprint.loader.storePath) : report?.glibcOf(name),
    neededBy,
    overridden: wants
      .filter((want) => storeObjectOf(storeDir, want.path) !== storePath)
      .map((want) => ({ by: want.by, origin: origin(want.path) })),
    diamond: kind !== 'libc' && objects.size > 1,
  };
}

/** The picture of a program that starts; one that needs nothing is a picture of itself. */
function pictureOf(facts: Facts, storeDir: string): Picture {
  const program = path.basename(facts.program.path);
  if (!('dynamic' in facts)) return pictureOfSet(program, []);
  const picture = pictureOfSet(
    program,
    facts.map.map((entry) => drawn(entry, facts, storeDir)),
  );
  const opened = facts.optional.files.map(({ name, file, neededBy }) => ({
    name,
    origin: nameOfStoreObject(storeObjectOf(storeDir, file) ?? file),
    neededBy,
  }));
  return withOpened(picture, opened);
}
