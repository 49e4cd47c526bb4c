// `nix-foreign graph PROGRAM`: the libraries of a program, or the conflict that keeps it from starting, as a picture.
import path from 'node:path';
import { NO_CHOICES } from '../choices/choices.ts';
import { ForeignError } from '../errors.ts';
import { pictureOfConflict } from '../graph/conflict-picture.ts';
import { dotText } from '../graph/dot.ts';
import { mermaidText } from '../graph/mermaid.ts';
import type { Picture } from '../graph/picture.ts';
import { choicesOfProgram } from '../pipeline/choices-of-program.ts';
import type { Context } from '../pipeline/context.ts';
import { survey } from '../pipeline/survey.ts';
import { inUsablePlace } from '../pipeline/usable-place.ts';
import { explainConflict } from '../solve/explain-conflict.ts';
import { withStore } from '../store/open-store.ts';
import { dynamicOnly } from './choose.ts';
import { withFacts } from './explain-facts.ts';
import { pictureOf } from './graph-picture.ts';
import { writeOutput } from './output-file.ts';

export const FORMATS = ['svg', 'dot', 'mermaid', 'json'] as const;
export type Format = (typeof FORMATS)[number];

const ENDINGS: Record<string, Format> = {
  '.svg': 'svg',
  '.dot': 'dot',
  '.gv': 'dot',
  '.mmd': 'mermaid',
  '.json': 'json',
};

/** The format asked for, else the one that the file's name says, else SVG. @throws ForeignError `usage`. */
export function formatOf(asked: string | undefined, output: string | undefined): Format {
  if (asked === undefined) return ENDINGS[path.extname(output ?? '')] ?? 'svg';
  const format = FORMATS.find((each) => each === asked);
  if (format !== undefined) return format;
  throw new ForeignError(`${asked}: no such format`, {
    code: 'usage',
    hint: `take one of: ${FORMATS.join(', ')}`,
    exitCode: 125,
  });
}

/** Of what keeps a program from starting; undefined where that is not a conflict over libraries. */
async function conflictPicture(given: string, context: Context): Promise<Picture | undefined> {
  const subject = dynamicOnly(given, context);
  const { program } = subject;
  const choices = (await choicesOfProgram(program, context))?.choices ?? NO_CHOICES;
  return await inUsablePlace(context.surroundings.uid, (place) =>
    withStore(place.catalogues, context.location, (catalogue) => {
      const { outcome } = survey(subject, catalogue, choices);
      if (outcome.kind !== 'conflict') return undefined;
      return pictureOfConflict(path.basename(program.path), outcome, explainConflict(outcome));
    }),
  );
}

/** @throws ForeignError with the reason where there is neither a set nor a conflict to be drawn. */
export async function drawProgram(given: string, context: Context): Promise<Picture> {
  try {
    return await withFacts(given, context, (facts) => pictureOf(facts, context.location.storeDir));
  } catch (error) {
    const drawable = error instanceof ForeignError && ['no-provider', 'conflict'].includes(error.code);
    const picture = drawable ? await conflictPicture(given, context) : undefined;
    if (picture === undefined) throw error;
    return picture;
  }
}

async function textOf(picture: Picture, format: Format): Promise<string> {
  switch (format) {
    case 'json':
      return `${JSON.stringify(picture, null, 2)}\n`;
    case 'mermaid':
      return mermaidText(picture);
    case 'dot':
      return dotText(picture);
    case 'svg': {
      const { svgOfDot } = await import('./graph-svg.ts');
      return await svgOfDot(dotText(picture));
    }
  }
}

/** Draws to a file or to stdout. @throws ForeignError `unwritable` where the file cannot be written. */
export async function graphCommand(
  given: string,
  asked: string | undefined,
  output: string | undefined,
  context: Context,
): Promise<void> {
  const format = formatOf(asked, output);
  const text = await textOf(await drawProgram(given, context), format);
  writeOutput(output ?? '-', text);
}
