// What a program is built with → libraries that programs of this family open by names that they compose.
import type { ElfFile } from '../elf/elf-file.ts';
import type { OptionalLibrary } from './optional-names.ts';

interface Family {
  /** Names that stand in the data of such programs, or of a library that they bring along: one is enough. */
  readonly marks: readonly RegExp[];
  /** See `OptionalLibrary`: what they open. */
  readonly opens: readonly (readonly (readonly string[])[])[];
}

/** ICU releases twice a year; .NET tries from the newest that it knows downwards (pal_icushim.c, FindICULibs). */
const NEWEST_ICU = 90;
const OLDEST_ICU = 50;

function icuVersions(): string[][] {
  return Array.from({ length: NEWEST_ICU - OLDEST_ICU + 1 }, (_, index) => {
    const version = NEWEST_ICU - index;
    return [`libicuuc.so.${version}`, `libicui18n.so.${version}`];
  });
}

/**
 * .NET: ICU in any version, OpenSSL 3 or 1.1, Kerberos (docs of .NET, "Install .NET on Linux without a package
 * manager", Dependencies). A single-file program holds the native parts in itself, so their names stand in its data.
 */
const DOTNET: Family = {
  marks: [
    /^libSystem\.(?:Native|Globalization\.Native)/,
    /^libcoreclr\.so/,
    /^libhostfxr\.so/,
    /^libhostpolicy\.so/,
  ],
  opens: [
    icuVersions(),
    [
      ['libssl.so.3', 'libcrypto.so.3'],
      ['libssl.so.1.1', 'libcrypto.so.1.1'],
    ],
    [['libgssapi_krb5.so.2']],
    [['libz.so.1']],
  ],
};

const FAMILIES: readonly Family[] = [DOTNET];

/** `names`: those that stand in the data of the program and its libraries. */
export function findFamilies(
  program: { readonly path: string },
  objects: readonly { readonly elf: ElfFile }[],
  names: readonly string[],
): OptionalLibrary[] {
  const seen = [...names, ...objects.flatMap(({ elf }) => [...elf.needed, elf.soname ?? ''])];
  return FAMILIES.filter(({ marks }) => marks.some((mark) => seen.some((name) => mark.test(name)))).flatMap(
    ({ opens }) =>
      opens.map((alternatives) => ({
        alternatives,
        readIn: program.path,
        source: 'family',
        priority: 'recommended',
      })),
  );
}
