// What a program shall name and what is appended to it → the way of editing that keeps most, and its changes.
import type { ByteSource } from '../../elf/reader.ts';
import { Malformed } from '../../elf/reader.ts';
import { selfReader } from '../../elf/self-reader.ts';
import { editBySegment } from './edit-by-segment.ts';
import { editInPlace, type NewStrings } from './edit-in-place.ts';
import { type EditedImage, readImage } from './elf-image.ts';
import { type FileChanges, sortedEdits } from './file-changes.ts';
import { findPayload, type Payload } from './payload.ts';
import { interpreterOnly, neededOf, type WantedNames } from './wanted-names.ts';

export const METHODS = ['in-place', 'append', 'insert', 'interpreter'] as const;
export type Method = (typeof METHODS)[number];

export interface ChosenEdits {
  readonly kind: 'chosen';
  readonly method: Method;
  readonly changes: FileChanges;
  readonly payload: Payload | undefined;
  /** All names that were to be needed more, or none. */
  readonly lifted: readonly string[];
  /** Why there are none though there should be: one clause. */
  readonly notLifted: string | undefined;
  readonly image: EditedImage;
}

export type EditChoice =
  | ChosenEdits
  /** `why`: one clause. */
  | { readonly kind: 'impossible'; readonly why: string; readonly payload: Payload | undefined };

interface Attempt {
  readonly method: Method;
  readonly lifted: readonly string[];
  run(): { readonly changes: FileChanges } | { readonly why: string };
}

function inPlace(
  image: EditedImage,
  wanted: WantedNames,
  strings: NewStrings,
  spare: 'few' | 'all',
): Attempt {
  return {
    method: 'in-place',
    lifted: wanted.lifted,
    run: () => {
      const made = editInPlace(image, wanted, strings, spare);
      if (made.kind === 'no-room') return made;
      return { changes: { edits: sortedEdits(made.edits), added: undefined } };
    },
  };
}

function bySegment(image: EditedImage, wanted: WantedNames, method: 'append' | 'insert'): Attempt {
  return {
    method,
    lifted: wanted.lifted,
    run: () => editBySegment(image, wanted, method === 'append' ? 'end' : 'before payload'),
  };
}

function carriesContent(image: EditedImage): boolean {
  return selfReader(image.source, { needed: neededOf(image), end: image.end }) !== undefined;
}

/** Without a payload tools see a clean file; with one the file is not stripped anyhow, and no byte may move. */
function attemptsFor(image: EditedImage, wanted: WantedNames, payload: Payload | undefined): Attempt[] {
  const rewritten = inPlace(image, wanted, 'rewritten', 'few');
  const plain = { ...wanted, lifted: [] };
  if (payload === undefined) {
    const clean = inPlace(image, wanted, 'copied', 'few');
    // What carries its content in sections or notes of its own does not bear to be stripped either.
    const still = carriesContent(image) ? [inPlace(image, wanted, 'behind', 'all')] : [];
    const all = [clean, ...still, rewritten, bySegment(image, wanted, 'append')];
    return wanted.lifted.length === 0 ? all : [...all, ...attemptsFor(image, plain, undefined)];
  }
  const still = [wanted, ...(wanted.lifted.length > 0 ? [plain] : [])].flatMap((each) => [
    inPlace(image, each, 'copied', 'few'),
    inPlace(image, each, 'behind', 'all'),
    inPlace(image, each, 'rewritten', 'few'),
  ]);
  if (payload.found === 'start') return [...still, bySegment(image, wanted, 'append')];
  return payload.found === 'end' ? [...still, bySegment(image, wanted, 'insert')] : still;
}

function attemptsBy(image: EditedImage, wanted: WantedNames, method: Method): Attempt[] {
  if (method === 'interpreter') return [{ ...inPlace(image, wanted, 'copied', 'few'), method }];
  if (method !== 'in-place') {
    const plain = { ...wanted, lifted: [] };
    return (wanted.lifted.length > 0 ? [wanted, plain] : [wanted]).map((each) =>
      bySegment(image, each, method),
    );
  }
  return [
    inPlace(image, wanted, 'copied', 'few'),
    inPlace(image, wanted, 'rewritten', 'few'),
    inPlace(image, wanted, 'behind', 'all'),
  ];
}

/** What one way of editing reads may make no sense where another one never looks. */
function madeBy(run: Attempt['run']): ReturnType<Attempt['run']> {
  try {
    return run();
  } catch (error) {
    if (error instanceof Malformed) return { why: error.message };
    throw error;
  }
}

function firstPossible(
  image: EditedImage,
  attempts: readonly Attempt[],
  payload: Payload | undefined,
): EditChoice {
  const reasons: { readonly why: string; readonly isLifting: boolean }[] = [];
  for (const { method, lifted, run } of attempts) {
    const made = madeBy(run);
    if ('changes' in made) {
      const notLifted = lifted.length > 0 ? undefined : reasons.findLast(({ isLifting }) => isLifting)?.why;
      return { kind: 'chosen', method, changes: made.changes, payload, lifted, notLifted, image };
    }
    reasons.push({ why: made.why, isLifting: lifted.length > 0 });
  }
  return { kind: 'impossible', why: reasons.at(-1)?.why ?? 'there is no way', payload };
}

/**
 * `method`: one that the user asked for, whatever is appended. Total but for what `source.read` throws.
 * The changes depend on the length of names only, so undo can be known before the names are.
 */
export function chooseEdits(source: ByteSource, wanted: WantedNames, method: Method | 'auto'): EditChoice {
  try {
    const image = readImage(source);
    const payload = findPayload(source, image.end);
    const attempts =
      method === 'auto' ? attemptsFor(image, wanted, payload) : attemptsBy(image, wanted, method);
    return firstPossible(image, attempts, payload);
  } catch (error) {
    if (error instanceof Malformed) return { kind: 'impossible', why: error.message, payload: undefined };
    throw error;
  }
}

export type InterpreterChanges =
  | { readonly kind: 'changes'; readonly changes: FileChanges }
  /** `why`: one clause. */
  | { readonly kind: 'no-room'; readonly why: string };

/**
 * The interpreter is another, by the way that keeps most; `renamed` as in `WantedNames`. Total but for what
 * `source.read` throws.
 */
export function interpreterChanges(
  source: ByteSource,
  interpreter: string,
  renamed: WantedNames['renamed'] = new Map(),
): InterpreterChanges {
  const choice = chooseEdits(source, interpreterOnly(interpreter, renamed), 'auto');
  if (choice.kind === 'chosen') return { kind: 'changes', changes: choice.changes };
  return { kind: 'no-room', why: choice.why };
}
