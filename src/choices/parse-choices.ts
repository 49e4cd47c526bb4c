// Text of a choices file → choices, or why it holds none.
import stringify from 'fast-json-stable-stringify';
import * as v from 'valibot';
import { printableLine } from '../host/output.ts';
import type { Choices } from './choices.ts';

/** Bump when the document's meaning changes; other versions are not trusted. */
const CHOICES_VERSION = 1;

const word = v.pipe(v.string(), v.minLength(1), v.maxLength(4096));
const words = v.pipe(v.array(word), v.maxLength(1000));

const schema = v.strictObject({
  version: v.literal(CHOICES_VERSION),
  /** Real path of the program. */
  program: v.pipe(v.string(), v.startsWith('/'), v.maxLength(4096)),
  pins: v.record(word, v.pipe(v.string(), v.startsWith('/'), v.maxLength(4096))),
  exclude: words,
  prefer: words,
  add: v.exactOptional(v.record(word, v.nullable(v.pipe(v.string(), v.startsWith('/'), v.maxLength(4096))))),
});

/** The document's bytes: keys sorted, no white space, one newline at the end. */
export function choicesText(program: string, { pins, exclude, prefer, add }: Choices): string {
  const choices = { pins, exclude, prefer, ...(add === undefined ? {} : { add }) };
  return `${stringify({ version: CHOICES_VERSION, program, ...choices })}\n`;
}

type ParsedChoices =
  | { readonly kind: 'choices'; readonly choices: Choices }
  | { readonly kind: 'refused'; readonly why: string };

/** Reads the choices saved for a program, by its real path. Total: every text gives an answer. */
export function parseChoices(text: string, program: string): ParsedChoices {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { kind: 'refused', why: 'it is not JSON' };
  }
  const result = v.safeParse(schema, value);
  if (!result.success) {
    const [issue] = result.issues;
    const why = printableLine(`${v.getDotPath(issue) ?? 'the document'}: ${issue.message}`);
    return { kind: 'refused', why: why.slice(0, 300) };
  }
  const { pins, exclude, prefer, add } = result.output;
  if (result.output.program !== program) return { kind: 'refused', why: "it is another program's" };
  const choices = { pins, exclude, prefer, ...(add === undefined ? {} : { add }) };
  if (choicesText(program, choices) !== text) return { kind: 'refused', why: 'it is not in canonical form' };
  return { kind: 'choices', choices };
}
