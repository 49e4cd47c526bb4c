// `nix-foreign package PROGRAM`: its libraries by their attributes of nixpkgs, as a Nix expression to begin with.
import path from 'node:path';
import { findMachine } from '../elf/machine.ts';
import { ForeignError } from '../host/errors.ts';
import { sha256OfProgram } from '../host/file-identity.ts';
import { printJson, printLine } from '../host/output.ts';
import { fileWord } from '../host/shell-words.ts';
import { attributeInNixpkgs } from '../index/bring-packages.ts';
import { hasManyVersions } from '../index/known-providers.ts';
import { inspectProgram } from '../program/inspect-program.ts';
import type { Context } from '../resolve/context.ts';
import { dynamicOf } from '../resolve/job.ts';
import { attributesByIndex, previewFromStore } from '../resolve/preview-resolution.ts';
import { inWritableDirectories } from '../resolve/writable-directories.ts';
import { isAttribute, nixExpression, type PackagedProgram } from './package-expression.ts';

/**
 * The table of known providers first: what an index names may be one of many. But of a package that has another version
 * of the library in each release an index knows the attribute that has this one.
 */
function attributeOf(name: string, byIndex: ReadonlyMap<string, string>): string | undefined {
  const [ofTable, ofIndex] = [attributeInNixpkgs(name), byIndex.get(name)];
  const attribute = hasManyVersions(name) ? (ofIndex ?? ofTable) : (ofTable ?? ofIndex);
  return attribute !== undefined && isAttribute(attribute) ? attribute : undefined;
}

function attributes(
  names: readonly string[],
  byIndex: ReadonlyMap<string, string>,
): { readonly known: readonly string[]; readonly unknown: readonly string[] } {
  const found = names.map((name) => [name, attributeOf(name, byIndex)] as const);
  return {
    known: [...new Set(found.flatMap(([, attribute]) => attribute ?? []))].sort(),
    unknown: found.flatMap(([name, attribute]) => (attribute === undefined ? [name] : [])).sort(),
  };
}

async function packagedProgram(typedName: string, context: Context): Promise<PackagedProgram> {
  const program = dynamicOf(inspectProgram(typedName, context.host));
  if (program === undefined) {
    throw new ForeignError(`${typedName}: it needs no library, so it needs no package to start`, {
      code: 'not-dynamic',
      hint: `see what it is: nix-foreign explain ${fileWord(typedName)}`,
      exitCode: 126,
    });
  }
  return await inWritableDirectories(context.host.uid, async (dirs) => {
    const request = { program, context, dirs };
    const store = await previewFromStore(request);
    const needed = [...new Set([...store.direct, ...store.lacking].map(({ name }) => name))];
    const optional = store.optional.map(({ name }) => name).filter((name) => !needed.includes(name));
    const names = [...needed, ...optional].filter(
      (name) => attributeInNixpkgs(name) === undefined || hasManyVersions(name),
    );
    const byIndex = await attributesByIndex(request, { names, lacking: store.lacking });
    return {
      name: path.basename(program.path),
      file: program.path,
      sha256: await sha256OfProgram(program.path),
      system: findMachine(program.elf)?.system ?? '',
      libc: program.libc.kind,
      needed: attributes(needed, byIndex),
      optional: attributes(optional, byIndex),
      bundled: store.bundled,
    };
  });
}

export async function packageCommand(
  typedName: string,
  format: 'text' | 'json',
  context: Context,
): Promise<void> {
  const packaged = await packagedProgram(typedName, context);
  const expression = nixExpression(packaged);
  if (format === 'json') printJson({ ...packaged, expression });
  else printLine(expression.trimEnd());
}
