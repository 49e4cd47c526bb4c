// Planned objects → one Nix expression: an attribute set of derivations, each built by a generated shell script.
import { dirname } from 'node:path';
import { ownDirectories } from './own-directories.ts';
import { type Provider, type Providers, providersOf } from './providers.ts';
import type { PlannedObject } from './store-object.ts';

const loaders: Readonly<Record<string, string>> = {
  amd64: 'lib/ld-linux-x86-64.so.2',
  i386: 'lib/ld-linux.so.2',
  arm64: 'lib/ld-linux-aarch64.so.1',
};

/** The attribute that holds one directory of links to the programs of several objects. */
export const userEnvironment = 'user_environment';

/**
 * The whole expression. `sourceRoot` of the files is replaced by `mountedAt`, where the builder sees them.
 * The programs of `environment` are also linked into one user environment, the first of a name wins.
 */
export function storeExpression(
  objects: readonly PlannedObject[],
  environment: readonly PlannedObject[],
  sourceRoot: string,
  mountedAt: string,
): string {
  const providers = providersOf(objects);
  const attributes = objects.map((object) => {
    const script = buildScript(object, providers).replaceAll(sourceRoot, mountedAt);
    return `  ${attributeName(object)} = make ${nixString(object.name)} ${script};`;
  });
  return `let
  make = name: script: derivation {
    inherit name script;
    system = builtins.currentSystem;
    builder = "/bin/sh";
    args = [ "-e" "-u" "-c" ". \\"$scriptPath\\"" ];
    passAsFile = [ "script" ];
    PATH = "/usr/local/bin:/usr/bin:/bin";
    LC_ALL = "C";
  };
  o = {
${attributes.join('\n')}
  };
in o // {
  ${userEnvironment} = make "user-environment" "mkdir -p $out/bin
for f in ${environment.map((object) => `\${o.${attributeName(object)}}/bin/*`).join(' ')}; do
[ -e $out/bin/\\\${f##*/} ] || ln -s $f $out/bin/
done";
}
`;
}

/** The attribute of the expression that holds this object. */
export function attributeName(object: PlannedObject): string {
  return object.key.replace(/[^a-zA-Z0-9]/g, '_');
}

/** The builder's script as a Nix string; references to other objects are interpolations, so Nix sees them. */
function buildScript(object: PlannedObject, providers: Providers): string {
  const lines: string[] = [];
  const raw = (text: string) => lines.push(nixString(text).slice(1, -1));
  const directories = new Set([...object.files.values(), ...object.links.keys()].map((t) => dirname(t)));
  for (const directory of [...directories].sort()) raw(`mkdir -p $out/${quote(directory)}`);
  for (const [source, target] of object.files) raw(`cp ${quote(source)} $out/${quote(target)}`);
  for (const [target, to] of object.links) raw(`ln -s ${quote(to)} $out/${quote(target)}`);
  raw('chmod -R u+w $out');
  if (object.kind === 'glibc') raw(ownDirectories(object.group.split(':')[0] ?? ''));
  else lines.push(...patchLines(object, providers));
  return `"${lines.join('\n')}"`;
}

/** patchelf once per distinct run path; programs also get the loader of their group's glibc. */
function patchLines(object: PlannedObject, providers: Providers): string[] {
  const filesByRunPath = new Map<string, string[]>();
  const programs: string[] = [];
  for (const [source, facts] of object.dynamic) {
    const target = object.files.get(source);
    if (!target) continue;
    const path = runPath(facts.needed, object, providers);
    if (path !== '') filesByRunPath.set(path, [...(filesByRunPath.get(path) ?? []), target]);
    if (facts.interpreter && target.startsWith('bin/')) programs.push(target);
  }
  const group = providers.get(object.group);
  const loader = loaders[object.group.split(':')[1] ?? ''];
  const libc = loader ? group?.get(loader.slice('lib/'.length)) : undefined;
  const lines = programs.map(
    (t) => `patchelf --set-interpreter ${reference(libc)}/${loader} $out/${quoted(t)}`,
  );
  for (const [path, targets] of filesByRunPath) {
    lines.push(`patchelf --set-rpath \\"${path}\\" ${targets.map((t) => `$out/${quoted(t)}`).join(' ')}`);
  }
  return lines;
}

function runPath(needed: readonly string[], object: PlannedObject, providers: Providers): string {
  const directories = needed.flatMap((soname) => {
    const provider = providers.get(object.group)?.get(soname);
    if (!provider) return [];
    return [`${provider.object === object ? '$out' : reference(provider)}/${provider.directory}`];
  });
  return [...new Set(directories)].join(':');
}

function reference(provider: Provider | undefined): string {
  if (!provider) throw new Error('a program of the store without a glibc in its group');
  return `\${o.${attributeName(provider.object)}}`;
}

/** For use inside a Nix string that interpolates. */
function quoted(text: string): string {
  return nixString(quote(text)).slice(1, -1);
}

function quote(text: string): string {
  return /^[a-zA-Z0-9_./+-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

function nixString(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('${', '\\${')}"`;
}
