// `nix-foreign fingerprint import FILE [PROGRAM]` and `verify`: a document that somebody made, for the program here.
import { existsSync } from 'node:fs';
import path from 'node:path';
import { findSidecar, sidecarOf } from '../../fingerprint/sidecar.ts';
import { ForeignError } from '../../host/errors.ts';
import { printJson, printOneLine } from '../../host/output.ts';
import { fileWord } from '../../host/shell-words.ts';
import type { Context } from '../../resolve/context.ts';
import {
  type FingerprintSearch,
  type FoundFingerprint,
  ownersFor,
  trustOf,
} from '../../resolve/find-fingerprint.ts';
import { locate } from '../../resolve/patch-target.ts';
import { withSearch } from '../../resolve/program-fingerprint.ts';
import { check, useFingerprint } from '../../resolve/use-fingerprint.ts';
import { namedProgram } from '../program-argument.ts';
import { usageError } from '../usage-error.ts';
import { readNamedDocument } from './named-document.ts';

type TrustedDocument = Extract<FoundFingerprint, { kind: 'trusted' }>;

/** The program that a sidecar lies beside. @throws ForeignError `not-found`, `unreachable`, `usage`. */
function programBeside(file: string): string {
  locate(file);
  const ending = sidecarOf('');
  if (file.endsWith(ending)) {
    const program = file.slice(0, -ending.length);
    if (existsSync(program)) return program;
  }
  throw usageError(`${file} lies beside no program`, 'name the program after it');
}

function notUsed(
  file: string,
  why: string,
  hint = `see what it says with: nix-foreign fingerprint show ${fileWord(file)}`,
): ForeignError {
  return new ForeignError(`${file}: it is not used: ${why}`, {
    code: 'fingerprint-refused',
    hint,
    exitCode: 126,
  });
}

async function trusting(file: string, search: FingerprintSearch): Promise<TrustedDocument> {
  const { kind } = readNamedDocument(file, search.context.location.storeDir);
  const location = { kind: kind === 'tree' ? 'tree' : 'sidecar', file: path.resolve(file) } as const;
  const { trusted, refused } = await findSidecar(
    [location],
    search.identity,
    ownersFor(search),
    await trustOf(search),
  );
  if (trusted === undefined) throw notUsed(file, refused[0]?.why ?? 'it has nothing for this program');
  const { fingerprint, signedBy } = trusted;
  return {
    kind: 'trusted',
    where: location.file,
    fingerprint,
    ...(signedBy === undefined ? {} : { signedBy }),
  };
}

function programFor(file: string, typedName: string | undefined, context: Context): string {
  return typedName === undefined ? programBeside(file) : namedProgram(typedName, context);
}

/** Says it again, whatever the size. */
function allowingImport(file: string, program: string): string {
  return `NIX_RUN_FOREIGN_FETCH=always nix-foreign fingerprint import ${fileWord(file)} ${fileWord(program)}`;
}

/** Makes the plan by the document, fetching what is missing. @throws ForeignError `fingerprint-refused` and others. */
export async function importCommand(
  file: string,
  typedName: string | undefined,
  options: { json: boolean },
  context: Context,
): Promise<void> {
  const plan = await withSearch(programFor(file, typedName, context), context, async (search) => {
    const allow = allowingImport(file, search.program.path);
    const used = await useFingerprint(await trusting(file, search), { ...search, allow });
    if ('why' in used) throw notUsed(file, used.why);
    if (used.kind === 'changed') throw notUsed(file, 'the program changed meanwhile', 'say it again');
    return used.plan;
  });
  if (options.json) printJson(plan);
  else printOneLine(`${plan.program}: ready, by ${plan.origin}`);
}

/** Checks a document as a first start would, without fetching, pinning or planning anything. */
export async function verifyCommand(
  file: string,
  typedName: string | undefined,
  options: { json: boolean },
  context: Context,
): Promise<void> {
  const { signedBy, program } = await withSearch(
    programFor(file, typedName, context),
    context,
    async (search) => {
      const trusted = await trusting(file, search);
      const checked = await check(trusted.fingerprint, search);
      if (checked.kind === 'refused') {
        const isMissing = checked.cause === 'missing';
        const fetching = `let Nix fetch it with: nix-foreign fingerprint import ${fileWord(file)} ${fileWord(search.program.path)}`;
        throw notUsed(file, checked.why, isMissing ? fetching : undefined);
      }
      return { signedBy: trusted.signedBy, program: search.program.path };
    },
  );
  const how = signedBy === undefined ? 'by its owner' : `by the signature of ${signedBy}`;
  if (options.json) printJson({ file, program, good: true, signedBy: signedBy ?? null });
  else printOneLine(`${file}: good for ${program}, believed ${how}`);
}
