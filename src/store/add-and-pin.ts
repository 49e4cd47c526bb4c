// A text and the store paths it names → a store object that references them, pinned by one indirect GC root.
import { existsSync, lstatSync, readFileSync, readlinkSync } from 'node:fs';
import path from 'node:path';
import { replaceLink } from '../host/atomic-file.ts';
import { errnoOf, reasonOf } from '../host/errors.ts';
import { makeDirectories } from '../host/files.ts';
import { debug } from '../host/output.ts';
import { type Ended, startProgram } from '../host/run-program.ts';
import { heldBack, type Nix, type NixRefusal, refusalOf, showWaiting, TIMEOUT } from './nix.ts';
import { addKeptRoot } from './root-link.ts';
import { isRegistered, SILENT, spareFromCollector } from './spare-from-collector.ts';

export interface StoreText {
  readonly name: string;
  readonly content: string;
  /** Valid store paths. */
  readonly references: readonly string[];
}

export type Pinned =
  | { readonly kind: 'pinned'; readonly storePath: string }
  /** A store object is valid for Nix without being there, or the link is another's: it is made under another name. */
  | { readonly kind: 'damaged'; readonly why: string }
  /** `vanished`: mostly a reference is not valid any more. */
  | NixRefusal;

/** A Nix that is starting up and will add and pin one text. */
export interface RootAdder {
  pin(text: StoreText): Promise<Pinned>;
  /** Ends it when there is nothing to pin after all. */
  abandon(): void;
}

/** A root adder for where Nix need not even be started. */
export function refusingRootAdder(why: string): RootAdder {
  return { pin: async () => ({ kind: 'refused', why }), abandon: () => {} };
}

/** A Nix string literal. Nix reads a bare carriage return in one as a line feed (src/libexpr/lexer.l, unescapeStr). */
function nixString(text: string): string {
  const escaped = text.replace(/["\\]/g, '\\$&').replaceAll('${', '\\${');
  return `"${escaped.replaceAll('\n', '\\n').replaceAll('\r', '\\r')}"`;
}

/** builtins.toFile makes the text; contexts of builtins.storePath become its references; the derivation holds it. */
function expressionFor(text: StoreText): string {
  const paths = text.references.map((reference) => `  ${nixString(reference)}`).join('\n');
  return `let
  references = [\n${paths}\n  ];
  context = builtins.foldl' (all: path: all + builtins.substring 0 0 (builtins.storePath path)) "" references;
  text = builtins.toFile ${nixString(text.name)} (context + ${nixString(text.content)});
in derivation { name = "pins-a-text"; system = "none"; builder = "none"; inherit text; }`;
}

/** The text that a derivation holds: its only input (Nix manual, "Derivation", ATerm format); undefined for no such. */
export function textIn(derivation: string): string | undefined {
  return /^Derive\(\[[^\]]*\],\[\],\["([^"]+)"\]/.exec(derivation)?.[1];
}

/**
 * The text in the derivation that the link names. Another process that pins for the same link may have set it to a text
 * already.
 */
function textHeldBy(link: string, content: string): Pinned {
  let derivation: string;
  try {
    derivation = readFileSync(link, 'utf8');
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') return { kind: 'refused', why: `${link}: ${reasonOf(error)}` };
    const isMade = lstatSync(link, { throwIfNoEntry: false }) !== undefined;
    return isMade
      ? { kind: 'damaged', why: `what ${link} names does not exist any more` }
      : { kind: 'refused', why: `Nix made no link ${link}` };
  }
  const storePath = textIn(derivation);
  if (storePath !== undefined) return { kind: 'pinned', storePath };
  const named = derivation === content ? targetOf(link) : undefined;
  return named === undefined
    ? { kind: 'damaged', why: `${link} was given to another text meanwhile` }
    : { kind: 'pinned', storePath: named };
}

function targetOf(link: string): string | undefined {
  try {
    return readlinkSync(link);
  } catch {
    return undefined;
  }
}

/** What Nix says of a derivation that is valid without being there. */
const NO_FILE_OF_DERIVATION = /^opening file '[^']*-pins-a-text\.drv'/;

function withItsFile(pinned: Pinned): Pinned {
  if (pinned.kind !== 'pinned' || existsSync(pinned.storePath)) return pinned;
  return { kind: 'damaged', why: `${pinned.storePath} is valid for Nix, and there is no such file` };
}

/** Under each of these names the text is another store object. */
function namesFor(name: string): string[] {
  const { name: stem, ext } = path.parse(name);
  return [name, `${stem}-2${ext}`, `${stem}-3${ext}`];
}

/**
 * Starts Nix for adding a text and making `link` its indirect root, with no build and in one process: nix-instantiate
 * roots a derivation that does nothing but hold the text, and then the link is set to the text itself. Nix takes 20 ms
 * to start and 5 ms to work, so it is started while the libraries are still being chosen, and reads the expression from
 * its standard input.
 *
 * Where a collector deletes an earlier copy of the text at that moment, Nix may take the new one for valid while its
 * file is gone, and stay so (NOTES.md). Then the text gets another name. @throws Node's errors when the link's
 * directory cannot be written.
 */
export function startRootAdder(nix: Nix, link: string): RootAdder {
  const first = startOnce(nix, link);
  return {
    pin: async (text) => {
      let pinned: Pinned = { kind: 'refused', why: 'there is no name for it' };
      for (const [index, name] of namesFor(text.name).entries()) {
        const rootAdder = index === 0 ? first : startOnce(nix, link);
        pinned = withItsFile(await rootAdder.pin({ ...text, name }));
        if (pinned.kind !== 'damaged') return pinned;
        debug(pinned.why);
      }
      return pinned;
    },
    abandon: first.abandon,
  };
}

/**
 * Nix, as long as its expression is not known. What it says is shown where it works for longer than a second then: it
 * waits for a collector, for minutes at times. What it says before has to wait for us.
 */
function startInstantiate(nix: Nix, args: readonly string[]) {
  const { begin, take, end } = heldBack(showWaiting);
  const command = path.join(nix.bin, 'nix-instantiate');
  const running = startProgram(command, args, { env: nix.env, timeout: TIMEOUT, onStderr: take });
  return {
    abandon: running.abandon,
    finish: async (expression: string): Promise<Ended> => {
      begin();
      try {
        const ended = await running.finish(expression);
        debug(`nix-instantiate ${args.join(' ')}: ${ended.status ?? ended.failure ?? 'killed'}`);
        return ended;
      } finally {
        end();
      }
    },
  };
}

/** For a link whose entry among the roots of Nix went while it was made. */
async function pinAgain(nix: Nix, link: string, held: Extract<Pinned, { kind: 'pinned' }>): Promise<Pinned> {
  debug(`${link} is no root of Nix any more; it is made once more`);
  const rooted = await addKeptRoot(nix, link, held.storePath);
  return rooted.kind === 'rooted' ? held : rooted;
}

function startOnce(nix: Nix, link: string): RootAdder {
  makeDirectories(path.dirname(link));
  // Settings of the user's nix.conf that would forbid builtins.storePath; our expression reads nothing else.
  const settings = ['--option', 'pure-eval', 'false', '--option', 'restrict-eval', 'false'];
  const running = startInstantiate(nix, [...settings, '--add-root', link, '--indirect', '-']);
  return {
    pin: async (text) => {
      const ended = await running.finish(expressionFor(text));
      if (ended.status !== 0) {
        const refusal = refusalOf(ended);
        return NO_FILE_OF_DERIVATION.test(refusal.why) ? { kind: 'damaged', why: refusal.why } : refusal;
      }
      const held = textHeldBy(link, text.content);
      if (held.kind !== 'pinned') return held;
      const derivation = targetOf(link);
      if (held.storePath !== derivation) replaceLink(link, held.storePath);
      const told = await spareFromCollector(nix, [
        ...(derivation === undefined ? [] : [derivation]),
        held.storePath,
      ]);
      if (told === 'unanswered') return { kind: 'refused', why: SILENT };
      return isRegistered(nix, link) ? held : await pinAgain(nix, link, held);
    },
    abandon: running.abandon,
  };
}
