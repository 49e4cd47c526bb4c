// A directory of files and links → its NAR, as Nix serialises and hashes it (Nix manual, "Nix Archive (NAR) format").

export type NarNode =
  | { readonly kind: 'file'; readonly content: Uint8Array }
  | { readonly kind: 'link'; readonly target: string }
  | { readonly kind: 'directory'; readonly entries: ReadonlyMap<string, NarNode> };

/** A string of the wire and of archives: its length in 8 bytes, little-endian, and itself, padded to 8. */
export function packString(content: string | Uint8Array): Buffer {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  const packed = Buffer.alloc(8 + Math.ceil(bytes.length / 8) * 8);
  packed.writeBigUInt64LE(BigInt(bytes.length));
  packed.set(bytes, 8);
  return packed;
}

const words = (...texts: readonly (string | Uint8Array)[]): Buffer => Buffer.concat(texts.map(packString));

function entryOf([name, node]: readonly [string, NarNode]): Buffer {
  return Buffer.concat([words('entry', '(', 'name', name, 'node'), nodeOf(node), words(')')]);
}

function byBytes([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

function nodeOf(node: NarNode): Buffer {
  switch (node.kind) {
    case 'file':
      return words('(', 'type', 'regular', 'contents', node.content, ')');
    case 'link':
      return words('(', 'type', 'symlink', 'target', node.target, ')');
    case 'directory': {
      const entries = [...node.entries].sort(byBytes).map(entryOf);
      return Buffer.concat([words('(', 'type', 'directory'), ...entries, words(')')]);
    }
  }
}

/** All bytes of the NAR, in memory; entries of directories are sorted by their bytes. */
export function narOf(node: NarNode): Buffer {
  return Buffer.concat([packString('nix-archive-1'), nodeOf(node)]);
}

/** Relative names such as `libz.so.1` or `glibc-hwcaps/x86-64-v3/libz.so.1` → a directory of them. */
export function directoryNode(leaves: ReadonlyMap<string, NarNode>): NarNode {
  const own = new Map<string, NarNode>();
  const below = new Map<string, Map<string, NarNode>>();
  for (const [name, node] of leaves) {
    const slash = name.indexOf('/');
    if (slash < 0) {
      own.set(name, node);
      continue;
    }
    const directory = name.slice(0, slash);
    const rest = below.get(directory) ?? new Map<string, NarNode>();
    below.set(directory, rest.set(name.slice(slash + 1), node));
  }
  for (const [name, rest] of below) own.set(name, directoryNode(rest));
  return { kind: 'directory', entries: own };
}
