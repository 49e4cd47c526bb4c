// A library that a plug-in lacked → what the other plug-ins of its directory lack, in the same search.
//
// A program that looks through a directory of plug-ins opens one after the other, and each library that is missing
// would be a run of the resolver. What the program asked for is chosen before, and nothing of it changes.
import { existsSync } from 'node:fs';
import path from 'node:path';
import { debug } from '../host/output.ts';
import { readLearned } from '../plan/run-time-files.ts';
import { readRunTimeRecord } from '../plan/run-time-record.ts';
import { filesBeside, type PlugIn, plugInsOf } from '../program/plug-ins.ts';
import { runDirectories } from '../program/run-directories.ts';
import { type ExtendedSet, extendSet, type PresentProblem } from '../solver/extend-set.ts';
import type { Choice } from '../solver/solution.ts';
import { namesOfPlugIns, needingWithout, needOfPlugIn, withoutUnfit } from './learned.ts';
import type { Extension } from './present-set.ts';
import { loadedElsewhere } from './running-process.ts';

/** Milliseconds: the program waits for what it asked for. */
const MOST_TIME = 2000;

/** What a directory of plug-ins needs beside what was asked for. */
export interface SiblingPlugIns {
  readonly added: readonly Choice[];
  /** Paths of those that the set counts with it: served, or of no set at all. */
  readonly plugIns: readonly string[];
}

/**
 * The directory that the program scans, of which the second plug-in lacks a library; undefined for any
 * other question. Each is scanned once for a set. Only a set that the loader is asked about is extended so.
 */
export function scannedDirectory({ question, plan, fingerprint }: Extension): string | undefined {
  const { requester, directory } = question;
  if (plan?.auditModule === undefined || fingerprint === undefined) return undefined;
  const own = path.dirname(requester);
  const { names = [], scanned = [] } = readRunTimeRecord(directory) ?? {};
  const isSecond = names.some((each) => each.requester !== requester && path.dirname(each.requester) === own);
  return path.isAbsolute(requester) && isSecond && !scanned.includes(own) ? own : undefined;
}

/** Those that the program has not opened yet. */
function plugInsAhead({ question, program, context }: Extension): PlugIn[] {
  const { requester, directory } = question;
  if (requester.startsWith(`${context.location.storeDir}/`)) return [];
  const { libraryPathDirs = [] } = program;
  const opened = new Set([requester, ...readLearned(directory)]);
  const files = filesBeside(requester, libraryPathDirs).filter((file) => !opened.has(file));
  return plugInsOf(files, program.elf, libraryPathDirs).map((each) => withoutUnfit(each, program));
}

/**
 * What the program may open from its own run path stays its own: a farm comes before a runpath, and nobody has asked
 * for these.
 */
function withoutOwn(present: PresentProblem, { program }: Extension): PresentProblem {
  const { path: file, elf } = program;
  const directories = runDirectories(elf.runpath ?? elf.rpath, file, elf);
  if (directories.length === 0) return present;
  const { problem } = present;
  const isOwn = (name: string): boolean => directories.some((each) => existsSync(path.join(each, name)));
  return {
    ...present,
    problem: { ...problem, providersOf: (name) => (isOwn(name) ? [] : problem.providersOf(name)) },
  };
}

/** What fits beside the set that has what was asked for. */
export function serveSiblings(extension: Extension, present: PresentProblem): SiblingPlugIns {
  const plugIns = plugInsAhead(extension);
  const end = Date.now() + MOST_TIME;
  const isOver = () => Date.now() > end;
  const there = new Set(loadedElsewhere(extension.loaded).keys());
  const beside = namesOfPlugIns(plugIns);
  const needs = plugIns.map((each) => {
    const { alternatives } = needOfPlugIn(each, beside);
    return { alternatives: alternatives.map((objects) => needingWithout(objects, there)) };
  });
  const { problem, solution } = withoutOwn(present, extension);
  const { added, outcomes } = extendSet(problem, solution, needs, isOver);
  const counted = plugIns.filter((_, index) => isCounted(outcomes[index]));
  debug(`${plugIns.length} plug-ins beside it: ${counted.length} counted, ${added.length} libraries added`);
  return { added, plugIns: counted.map((each) => each.path) };
}

/** One for which another set may be better is for the next start to count, once it was opened. */
function isCounted(outcome: ExtendedSet['outcomes'][number] | undefined): boolean {
  return outcome?.kind === 'taken' || outcome?.isOffered === false;
}
