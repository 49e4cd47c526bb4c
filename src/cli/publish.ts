// `nix-foreign publish PROGRAM... --to STORE-URL [--fingerprints DIR --key FILE]`: libraries to a cache, signed
// documents to a directory.
import path from 'node:path';
import { type Fingerprint, signedText } from '../fingerprint/fingerprint.ts';
import { pathInSource } from '../fingerprint/remote-source.ts';
import { documentBehind } from '../fingerprint/saved-fingerprints.ts';
import { type SecretKey, signFingerprint } from '../fingerprint/signature.ts';
import { ForeignError, reasonOf } from '../host/errors.ts';
import { makeDirectories } from '../host/files.ts';
import { printJson, printOneLine, withoutSecrets } from '../host/output.ts';
import { fileWord, shellWord } from '../host/shell-words.ts';
import type { Context } from '../resolve/context.ts';
import { refusePatched } from '../resolve/for-original.ts';
import { savedFingerprintOfProgram } from '../resolve/program-fingerprint.ts';
import { copyClosure } from '../store/fetch.ts';
import { type Nix, showOnStderr } from '../store/nix.ts';
import { readSecretKey } from './fingerprint/sign.ts';
import { writeByOurName } from './output-file.ts';
import { namedProgram } from './program-argument.ts';
import { usageError } from './usage-error.ts';

interface PublishOptions {
  readonly to: string | undefined;
  readonly fingerprints: string | undefined;
  readonly key: string | undefined;
  readonly json: boolean;
}

interface Publication {
  readonly program: string;
  readonly fingerprint: Fingerprint;
  /** The store object that is the document and refers to the libraries. */
  readonly storePath: string;
}

function nixOf(context: Context): Nix {
  if (context.nix !== undefined) return context.nix;
  throw new ForeignError('Nix was not found, and it is what copies to a store', {
    code: 'no-nix',
    hint: 'see what is looked at with: nix-foreign doctor',
    exitCode: 125,
  });
}

function keyFor(options: PublishOptions): SecretKey | undefined {
  if (options.to === undefined && options.fingerprints === undefined) {
    throw usageError('publish needs to know where', 'say --to STORE-URL, --fingerprints DIR, or both');
  }
  if (options.fingerprints !== undefined && options.key === undefined) {
    throw usageError(
      'fingerprints from a source are believed only when they are signed',
      'sign them with: --key FILE; nix-store --generate-binary-cache-key NAME FILE PUBLIC-FILE makes one',
    );
  }
  return options.key === undefined ? undefined : readSecretKey(options.key);
}

async function publicationOf(typedName: string, context: Context): Promise<Publication> {
  await refusePatched(typedName, context);
  const { program, saved } = await savedFingerprintOfProgram(typedName, context);
  try {
    return { program: program.path, fingerprint: saved.fingerprint, storePath: documentBehind(saved.file) };
  } catch {
    throw new ForeignError(`${typedName}: its fingerprint is not in the store`, {
      code: 'unpinned',
      hint: `see why with: nix-foreign doctor; then: nix-foreign resolve --refresh ${fileWord(typedName)}`,
      exitCode: 125,
    });
  }
}

const NAME_DIRECTORY = 'name a directory that can be written: --fingerprints DIR';

function writeDocument(
  directory: string,
  { choices: _, ...fingerprint }: Fingerprint,
  key: SecretKey,
): string {
  const file = path.join(directory, pathInSource(fingerprint.program.sha256));
  try {
    makeDirectories(path.dirname(file), 0o755);
  } catch (error) {
    throw new ForeignError(`${path.dirname(file)}: it cannot be made: ${reasonOf(error)}`, {
      code: 'unwritable',
      hint: NAME_DIRECTORY,
      exitCode: 125,
    });
  }
  writeByOurName(file, signedText(fingerprint, [signFingerprint(fingerprint, key)]), NAME_DIRECTORY);
  return file;
}

/** First the libraries, then the documents: who finds a document finds what it names. */
export async function publishCommand(
  programs: readonly string[],
  options: PublishOptions,
  context: Context,
): Promise<void> {
  const key = keyFor(options);
  const publications: Publication[] = [];
  for (const each of programs) publications.push(await publicationOf(namedProgram(each, context), context));
  if (options.to !== undefined) {
    const paths = publications.map(({ storePath }) => storePath);
    const copied = await copyClosure(nixOf(context), paths, options.to, showOnStderr);
    if (copied.kind === 'refused') {
      throw new ForeignError(`nothing was published: ${copied.why}`, {
        code: 'copy-failed',
        hint: `try it by hand: nix --extra-experimental-features nix-command copy --to ${shellWord(withoutSecrets(options.to))} ${shellWord(paths[0] ?? '')}`,
        exitCode: 125,
      });
    }
  }
  const rows = publications.map(({ program, fingerprint, storePath }) => {
    const { fingerprints } = options;
    const written = fingerprints && key ? { file: writeDocument(fingerprints, fingerprint, key) } : {};
    return { program, storePath, ...written };
  });
  if (options.json) return printJson(rows);
  for (const row of rows) printOneLine(`published ${row.program}${'file' in row ? `: ${row.file}` : ''}`);
  if (key !== undefined && options.fingerprints !== undefined)
    printOneLine(`who trusts it needs in config.toml: trusted-fingerprint-keys = ["${key.public.text}"]`);
}
