// A program and the attributes of its libraries → a Nix expression that callPackage takes.
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { printableLine } from '../host/output.ts';
import { fileWord, shellWord } from '../host/shell-words.ts';
import { absentName } from '../index/absent-names.ts';
import { demandOnNix, foreignSystem } from '../index/nix-build-line.ts';

/** NamedAttributes of nixpkgs, and sonames that none is known for. */
interface NamedAttributes {
  readonly known: readonly string[];
  readonly unknown: readonly string[];
}

export interface PackagedProgram {
  readonly name: string;
  readonly file: string;
  /** Lower-case hex. */
  readonly sha256: string;
  /** `x86_64-linux`; empty when unknown. */
  readonly system: string;
  readonly libc: 'glibc' | 'musl';
  readonly needed: NamedAttributes;
  /** What it may open while it runs. */
  readonly optional: NamedAttributes;
  /** Libraries that lie beside it. */
  readonly bundled: readonly string[];
}

/** A string of Nix (Nix manual, "String"). */
function quoted(text: string): string {
  return `"${printableLine(text).replace(/[\\"]/g, '\\$&').replaceAll('${', '\\${')}"`;
}

/** The attribute path as an expression; names of an index are not trusted to be one. */
const ATTRIBUTE = /^[A-Za-z_][\w'-]*(\.[A-Za-z_][\w'-]*)*$/;

export function isAttribute(text: string): boolean {
  return ATTRIBUTE.test(text);
}

/** Letters that both a store object's name and a shell word may have. */
function storeName(name: string): string {
  return name.replace(/[^\w.+-]/g, '-').replace(/^[.-]+/, '') || 'program';
}

function comment(names: readonly string[]): string[] {
  return names.map((name) => {
    const why = absentName(name, '')?.why ?? 'which package has it is not known';
    return `    # ${printableLine(name)}: ${why}`;
  });
}

function listOf(option: string, { known, unknown }: NamedAttributes): string[] {
  const usable = known.filter((each) => isAttribute(each));
  const lost = known.filter((each) => !isAttribute(each));
  if (usable.length + unknown.length + lost.length === 0) return [];
  return [
    `  ${option} = [`,
    ...usable.map((each) => `    ${each}`),
    ...comment([...unknown, ...lost]),
    '  ];',
  ];
}

const ARGUMENTS = ['lib', 'stdenv', 'requireFile', 'autoPatchelfHook'];

function argumentsOf({ needed, optional }: PackagedProgram): string[] {
  const attributes = [...needed.known, ...optional.known].filter((each) => isAttribute(each));
  const first = attributes.map((each) => each.split('.')[0] ?? each);
  return [...new Set([...ARGUMENTS, ...first.sort()])].map((name) => `  ${name},`);
}

/** What to type so that the store has the file by that name: `--add-fixed` takes the file's own, and refuses others. */
function addingLine(file: string, name: string): string {
  return name === path.basename(file)
    ? `nix-store --add-fixed sha256 ${fileWord(file)}`
    : `nix-prefetch-url --type sha256 --name ${shellWord(name)} ${shellWord(pathToFileURL(file).href)}`;
}

/** requireFile prints its message by `cat <<_EOF_`, where a shell expands these (nixpkgs, trivial-builders). */
function messageText(text: string): string {
  return text.replace(/[\\$`]/g, '\\$&');
}

/** For a program of another machine nixpkgs must be told of it, and for one of musl the libraries are other builds. */
function howToBuild(name: string, { system, libc }: Pick<PackagedProgram, 'system' | 'libc'>): string {
  const foreign = foreignSystem(system);
  const set = foreign === undefined ? '{ }' : `{ system = ${quoted(foreign)}; }`;
  const callPackage = libc === 'musl' ? 'pkgsMusl.callPackage' : 'callPackage';
  const expression = `with import <nixpkgs> ${set}; ${callPackage} ./${name}.nix { }`;
  const line = `nix-build -E ${shellWord(expression)}`;
  return `${line}${demandOnNix(system)}`;
}

/** Ends with a line feed. */
export function nixExpression(packaged: PackagedProgram): string {
  const { file, sha256, system, needed, optional, bundled } = packaged;
  const name = storeName(packaged.name);
  const hash = `sha256-${Buffer.from(sha256, 'hex').toString('base64')}`;
  const more =
    bundled.length === 0
      ? []
      : [
          `# It has libraries beside it (${printableLine(bundled.slice(0, 3).join(', '))}): take its directory for src.`,
        ];
  return [
    `# A start for a package: ${howToBuild(name, packaged)}`,
    ...more,
    '{',
    ...argumentsOf(packaged),
    '}:',
    '',
    'stdenv.mkDerivation {',
    `  pname = ${quoted(name)};`,
    '  version = "0";',
    '',
    '  src = requireFile {',
    `    name = ${quoted(name)};`,
    `    hash = ${quoted(hash)};`,
    `    message = ${quoted(messageText(addingLine(file, name)))};`,
    '  };',
    '  dontUnpack = true;',
    '',
    '  nativeBuildInputs = [ autoPatchelfHook ];',
    ...listOf('buildInputs', needed),
    ...listOf('runtimeDependencies', optional),
    '',
    "  installPhase = ''",
    '    runHook preInstall',
    `    install -Dm755 $src $out/bin/${name}`,
    '    runHook postInstall',
    "  '';",
    '',
    '  meta = {',
    `    mainProgram = ${quoted(name)};`,
    ...(system === '' ? [] : [`    platforms = [ ${quoted(system)} ];`]),
    '    sourceProvenance = [ lib.sourceTypes.binaryNativeCode ];',
    '  };',
    '}',
    '',
  ].join('\n');
}
